//! Drafts against programs that TVM lowers here, for geometries of all shapes.

use arco_tvm::seed::Seed;
use arco_tvm::vta::config::{Geometry, VtaConfig};
use arco_tvm::vta::draft::{DraftLaunch, Drafter, Epilogue, Step};
use arco_tvm::vta::func::Dram;
use arco_tvm::vta::isa::{AluOp, Insn};
use arco_tvm::vta::lowered::{Lowered, Sites};
use arco_tvm::vta::packed_conv::{PackedConv, PackedTiles};
use arco_tvm::vta::program::Counters;
use arco_tvm::vta::runtime::{
    Device, Runtime, RuntimeError, SimulatedDevice, SimulationMode, UOP_BASE,
};
use rand::RngExt;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support;

/// Lowers each case of a file: a kernel that runs without machine code, or the reason why there is none.
const LOWER: &str = r##"
import json, pathlib, sys, time
tests, cases, folder = sys.argv[1:]
sys.path.insert(0, tests)
import tvm
import vta.testing.simulator
import vta
from golden_conv import Convolution, clip
from tvm import te, tir, topi
from arco_tvm import builder

class Followed(Convolution):
    """A convolution with these operators behind it, then its limits."""
    def compute(self):
        (data, kernel, bias, _), _ = super().compute()
        layout = f"NCHW{self.env.BATCH}n{self.env.BLOCK_IN}c"
        result = vta.top.conv2d_packed(data, kernel, self.stride, self.pad, (1, 1), layout, "int32")
        arguments = [data, kernel]
        for op, constant in self.steps:
            if constant is None:
                operand = te.placeholder(bias.shape, name=f"channel{len(arguments)}", dtype="int32")
                arguments.append(operand)
            else:
                operand = tir.const(constant, "int32")
            result = {"add": topi.add, "mul": topi.multiply, "shr": topi.right_shift}[op](result, operand)
        result = topi.cast(clip(result, 0, 127), "int8")
        return [*arguments, result], result

lowered = tvm.get_global_func("arco.vta.lowered")
made = []
for number, case in enumerate(json.load(open(cases))):
    start = time.perf_counter()
    file = pathlib.Path(folder, f"{number}.vta")
    try:
        env = vta.Environment(case["model"])
        if case["steps"] is not None:
            convolution = Followed(case["workload"], env)
            convolution.steps = case["steps"]
            module = convolution.lower(case["config"])
            file.write_bytes(lowered(tvm.ir.save_json(module)))
        else:
            task = {"name": "conv2d_packed.vta", "args": case["args"], "target": str(env.target), "host": "llvm"}
            entity = [[n, "sp", [-1, v]] if n.startswith("tile") else [n, "ot", v] for n, v in case["config"].items()]
            answer = builder.build(task, {"index": 0, "code_hash": None, "entity": entity}, {})
            if not answer["ok"]:
                raise RuntimeError(str(answer))
            file.write_bytes(builder.fetch(answer["token"]))
        made.append({"kernel": str(file), "seconds": time.perf_counter() - start})
    except Exception as error:
        made.append({"error": str(error)[-300:], "seconds": time.perf_counter() - start})
    print(number, file=sys.stderr)
print(json.dumps(made))
"##;

/// A schedule of a convolution on a geometry.
#[derive(Clone, Debug)]
struct Case {
    geometry: Geometry,
    conv: PackedConv,
    tiles: PackedTiles,
    /// Behind it; a tuning task's if there is none.
    epilogue: Option<Epilogue>,
}

impl Case {
    /// Any schedule of a small convolution, allowed or not.
    fn draw(draw: &mut impl RngExt) -> Self {
        let geometry = geometry(draw);
        let kernel = [[1, 1], [3, 3], [3, 3], [5, 5], [1, 3], [3, 1]];
        let [kernel_height, kernel_width] = pick(draw, kernel);
        let sides = [1, 4, 6, 7, 8, 12, 14, 28];
        let other = pick(draw, sides).max(kernel_width);
        let side = pick(draw, sides).max(kernel_height.max(kernel_width));
        // Padded on all sides alike, and a kernel that is no square with it.
        let padding = pick(draw, [0, (kernel_height.max(kernel_width) - 1) / 2]);
        let blocks = [1, 2, 3, 4, 6, 8];
        let conv = PackedConv {
            batches: pick(draw, [1, 1, 1, 2]),
            height: side,
            width: pick(draw, [side, side, other]),
            input_blocks: pick(draw, blocks),
            output_blocks: pick(draw, blocks),
            kernel_height,
            kernel_width,
            stride: pick(draw, [1, 1, 2]),
            padding,
        };
        let factor = |draw: &mut _, length: usize| {
            let factors: Vec<usize> = (1..=length)
                .filter(|factor| length.is_multiple_of(*factor))
                .collect();
            *factors.choose(draw).unwrap()
        };
        let tiles = PackedTiles {
            h: factor(draw, conv.out_height()),
            w: factor(draw, conv.out_width()),
            ci: factor(draw, conv.input_blocks),
            co: factor(draw, conv.output_blocks),
            oc_threads: pick(draw, [1, 1, 2]),
            h_threads: pick(draw, [1, 1, 2]),
        };
        Case {
            geometry,
            conv,
            tiles,
            epilogue: epilogue(draw),
        }
    }

    fn allowed(&self) -> bool {
        self.conv.refusal(&self.geometry, &self.tiles).is_none()
    }

    /// As Python wants it.
    fn to_json(&self) -> Value {
        let (geometry, conv, tiles) = (&self.geometry, &self.conv, &self.tiles);
        let (batch, block_in, block_out) =
            (geometry.batch(), geometry.block_in(), geometry.block_out());
        json!({
            "model": geometry.model(),
            "steps": self.epilogue.as_ref().map(steps_json),
            "workload": {
                "batch": conv.batches * batch,
                "height": conv.height, "width": conv.width,
                "in_filter": conv.input_blocks * block_in, "out_filter": conv.output_blocks * block_out,
                "hkernel": conv.kernel_height, "wkernel": conv.kernel_width,
                "hpad": conv.padding, "wpad": conv.padding,
                "hstride": conv.stride, "wstride": conv.stride,
            },
            "args": [
                ["TENSOR", [conv.batches, conv.input_blocks, conv.height, conv.width, batch, block_in], "int8"],
                ["TENSOR", [conv.output_blocks, conv.input_blocks, conv.kernel_height, conv.kernel_width,
                    block_out, block_in], "int8"],
                [conv.stride, conv.stride],
                [conv.padding, conv.padding, conv.padding, conv.padding],
                [1, 1],
                format!("NCHW{batch}n{block_in}c"),
                "int32",
            ],
            "config": {
                "tile_b": 1, "tile_h": tiles.h, "tile_w": tiles.w, "tile_ci": tiles.ci, "tile_co": tiles.co,
                "oc_nthread": tiles.oc_threads, "h_nthread": tiles.h_threads,
            },
        })
    }

    fn epilogue(&self) -> Epilogue {
        self.epilogue.clone().unwrap_or_default()
    }
}

/// A tuning task's, the golden records', one with a rounding shift, one that scales each channel.
fn epilogue(draw: &mut impl RngExt) -> Option<Epilogue> {
    let constant = |op, imm| Step::Immediate { op, imm };
    let channel = |op| Step::Channel { op };
    let (shift, bias) = (constant(AluOp::Shr, 8), channel(AluOp::Add));
    let limits = [constant(AluOp::Min, 127), constant(AluOp::Max, 0)];
    let rounding = [bias, constant(AluOp::Add, 128), shift];
    let scaling = [channel(AluOp::Mul), shift, bias];
    match draw.random_range(0..6) {
        0 | 1 => None,
        2 | 3 => Some(Epilogue::biased()),
        4 => Some(Epilogue::new([&rounding[..], &limits].concat())),
        _ => Some(Epilogue::new([&scaling[..], &limits].concat())),
    }
}

/// The operators before the limits: each a name, and its constant if it has one.
fn steps_json(epilogue: &Epilogue) -> Value {
    let steps = epilogue.steps().iter().take_while(
        |step| !matches!(step, Step::Immediate { op, .. } if [AluOp::Min, AluOp::Max].contains(op)),
    );
    let step = |step: &Step| match step {
        Step::Immediate { op, imm } => json!([op.name(), imm]),
        Step::Channel { op } => json!([op.name(), null]),
    };
    steps.map(step).collect()
}

fn pick<T: Copy, const N: usize>(draw: &mut impl RngExt, values: [T; N]) -> T {
    values[draw.random_range(0..N)]
}

/// Blocks of 8 to 32 that may differ, batches of 1 to 8, small and large buffers, another bus.
fn geometry(draw: &mut impl RngExt) -> Geometry {
    loop {
        let log_block = pick(draw, [3, 4, 4, 5]);
        let other = pick(draw, [3, 4, 5]);
        let log_block_out = pick(draw, [log_block, log_block, other]);
        let config = VtaConfig {
            log_batch: pick(draw, [0, 0, 1, 2, 3]),
            log_block,
            log_block_in: None,
            log_block_out: (log_block_out != log_block).then_some(log_block_out),
            log_uop_buff_size: pick(draw, [7, 9, 12, 15]),
            log_inp_buff_size: draw.random_range(11..=17),
            log_wgt_buff_size: draw.random_range(13..=20),
            log_acc_buff_size: draw.random_range(13..=19),
            axi_bits: pick(draw, [None, None, Some(128)]),
            max_burst: pick(draw, [None, None, Some(256)]),
            ..Geometry::default().to_config()
        };
        if let Ok(geometry) = Geometry::new(&config) {
            return geometry;
        }
    }
}

/// What a device was given in one launch.
#[derive(Default)]
struct Launch {
    insns: Vec<Insn>,
    uops: Vec<u8>,
}

/// The device of a process, with a copy of what it is given.
struct Watched {
    device: SimulatedDevice,
    launches: Arc<Mutex<Vec<Launch>>>,
}

impl Device for Watched {
    fn geometry(&self) -> &Geometry {
        self.device.geometry()
    }
    fn launch(&mut self, insns: &[Insn], dram: &mut dyn Dram) -> Result<(), RuntimeError> {
        let mut uops = Vec::new();
        let mut word = [0; 4];
        while dram.read(UOP_BASE + uops.len() as u64, &mut word).is_ok() {
            uops.extend(word);
        }
        let launch = Launch {
            insns: insns.to_vec(),
            uops,
        };
        self.launches.lock().unwrap().push(launch);
        self.device.launch(insns, dram)
    }
    fn counters(&self) -> Counters {
        self.device.counters()
    }
    fn clear_counters(&mut self) {
        self.device.clear_counters();
    }
    fn set_skip_execution(&mut self, skip: bool) {
        self.device.set_skip_execution(skip);
    }
    fn cycles(&self) -> Option<u64> {
        self.device.cycles()
    }
}

/// Calls a kernel twice, and compares both calls with a draft. Says how TVM's program fails if it does.
fn compare(case: &Case, kernel: &[u8]) -> Result<Result<(), String>, String> {
    let kernel = Lowered::from_bytes(kernel).unwrap();
    let launches = Arc::new(Mutex::new(Vec::new()));
    let mut runtime = Runtime::on(Box::new(Watched {
        device: SimulatedDevice::new(case.geometry, SimulationMode::Timing),
        launches: Arc::clone(&launches),
    }));
    // As in a draft, all tensors lie at the beginning of memory; nothing is computed.
    let tensor = runtime.memory().alloc(1).unwrap();
    let buffers = vec![tensor; kernel.arguments()];
    let mut sites = Sites::default();
    let mut call = |runtime: &mut Runtime| {
        runtime.device().clear_counters();
        kernel
            .run(runtime, &mut sites, &buffers)
            .map_err(|error| error.to_string())?;
        let device = runtime.device();
        Ok::<_, String>((device.cycles().unwrap(), device.counters()))
    };
    call(&mut runtime)?;
    let (cycles, counters) = call(&mut runtime)?;
    let launches = launches.lock().unwrap();
    let [first, second] = &launches[..] else {
        panic!("{} launches", launches.len());
    };
    let mut drafter = Drafter::new(&case.geometry);
    let same = |launch: &Launch, drafted: &[DraftLaunch]| {
        drafted.len() == 1 && launch.insns == drafted[0].insns && launch.uops == drafted[0].uops
    };
    let epilogue = case.epilogue();
    let drafted = drafter.draft_first(&case.conv, &case.tiles, &epilogue);
    let drafted = drafted.map(|draft| same(first, draft.launches()));
    match drafted {
        Ok(true) => {}
        Ok(false) => return Ok(Err("the first call differs".to_owned())),
        Err(error) => return Ok(Err(error.to_string())),
    }
    let mut draft = drafter.draft(&case.conv, &case.tiles, &epilogue).unwrap();
    if !same(second, draft.launches()) {
        return Ok(Err("the second call differs".to_owned()));
    }
    if draft.counters() != counters {
        return Ok(Err(format!("{:?}, {counters:?}", draft.counters())));
    }
    let drafted = draft.cycles().unwrap();
    Ok((drafted == cycles)
        .then_some(())
        .ok_or(format!("{drafted} cycles, {cycles}")))
}

/// What came out of many cases.
#[derive(Default)]
struct Tally {
    equal: usize,
    unequal_blocks: usize,
    refused: usize,
    /// Drafts that differ, and allowed schedules that TVM cannot build or run.
    wrong: Vec<String>,
    /// Schedules that are refused and run.
    strict: Vec<String>,
    building: Duration,
    drafting: Duration,
}

fn tally(cases: &[Case]) -> Tally {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.json");
    let described: Vec<Value> = cases.iter().map(Case::to_json).collect();
    std::fs::write(&file, serde_json::to_vec(&described).unwrap()).unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tvm-patches/tests/vta");
    let said = support::run_python(LOWER, &[&tests, &file, folder.path()]);
    let made: Vec<Value> = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(made.len(), cases.len());
    let mut tally = Tally::default();
    for (case, made) in cases.iter().zip(&made) {
        let found = match made["kernel"].as_str() {
            Some(path) => compare(case, &std::fs::read(path).unwrap()),
            None => Err(made["error"].as_str().unwrap().to_owned()),
        };
        match (case.allowed(), found) {
            (true, Ok(Ok(()))) => {
                tally.equal += 1;
                let unequal = case.geometry.block_in() != case.geometry.block_out();
                tally.unequal_blocks += usize::from(unequal);
                tally.building += Duration::from_secs_f64(made["seconds"].as_f64().unwrap());
                let start = Instant::now();
                let mut drafter = Drafter::new(&case.geometry);
                let draft = drafter.draft(&case.conv, &case.tiles, &case.epilogue());
                draft.unwrap().cycles().unwrap();
                tally.drafting += start.elapsed();
            }
            (true, Ok(Err(error)) | Err(error)) => {
                tally.wrong.push(format!("{case:?}: {error}"));
            }
            (false, Err(_)) => tally.refused += 1,
            (false, Ok(_)) => {
                let refusal = case.conv.refusal(&case.geometry, &case.tiles);
                tally.strict.push(format!("{case:?}: {refusal:?}"));
            }
        }
    }
    tally
}

/// `allowed` schedules that the rules allow, and some that they refuse.
fn draw(seed: u64, allowed: usize, refused: usize) -> Vec<Case> {
    let mut draw = Seed(seed).stream("drafts");
    let mut left = [refused, allowed];
    let mut cases = Vec::new();
    while left != [0, 0] {
        let case = Case::draw(&mut draw);
        let left = &mut left[usize::from(case.allowed())];
        if *left > 0 {
            *left -= 1;
            cases.push(case);
        }
    }
    cases
}

#[test]
fn drafts_for_other_geometries_are_the_programs_that_tvm_lowers() {
    let tally = tally(&draw(5, 48, 12));
    assert!(tally.wrong.is_empty(), "{:#?}", tally.wrong);
    assert!(tally.equal == 48 && tally.unequal_blocks > 4);
}

/// Prints what it finds: `make test-draft`.
#[test]
#[ignore = "ten minutes"]
#[allow(clippy::print_stdout, reason = "it is run for what it prints")]
fn many_drafts_for_other_geometries_are_the_programs_that_tvm_lowers() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |value| value.parse().unwrap())
    };
    let count = number("DRAFTS", 1000) as usize;
    let tally = tally(&draw(number("SEED", 1), count, count / 4));
    let built = tally.equal.max(1) as f64;
    println!(
        "{} of {count} drafts are TVM's programs, {} of them with unequal blocks; {} refused schedules fail, {} run",
        tally.equal,
        tally.unequal_blocks,
        tally.refused,
        tally.strict.len()
    );
    println!(
        "a draft and its time take {:.0} us on average, TVM's program {:.0} us to lower",
        tally.drafting.as_secs_f64() * 1e6 / built,
        tally.building.as_secs_f64() * 1e6 / built
    );
    for line in &tally.strict {
        println!("refused, and runs: {line}");
    }
    assert!(tally.wrong.is_empty(), "{:#?}", tally.wrong);
}
