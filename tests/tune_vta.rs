//! A quantised network for the simulated accelerator: tuned, and compared with the CPU. Real TVM, real RPC, real
//! simulator.

#[path = "vta_common/recording.rs"]
mod recording;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use arco_tvm::record::read_log;
use arco_tvm::vta::config::Geometry;
use arco_tvm::vta::isa::Insn;
use arco_tvm::vta::lowered::{Lowered, Sites};
use arco_tvm::vta::program::{Expected, Launch, Program};
use arco_tvm::vta::runtime::BufferHandle;
use serde_json::Value;

/// Residual, with convolutions after the first on the accelerator.
const NETWORK: &str = "resnet-8";

fn arco_tvm(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = support::arco_tvm(folder);
    command
        .args(arguments)
        .env("ARCO_PYTHON", support::python());
    command
}

fn succeed(command: &mut Command) -> (String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert!(status.success(), "{stdout}{stderr}");
    (stdout, stderr)
}

fn tune(folder: &Path, log: &str) -> (String, String) {
    let trials = [
        "--trials-per-task",
        "3",
        "--strategy",
        "random",
        "--seed",
        "5",
    ];
    succeed(&mut arco_tvm(
        folder,
        &[
            &["tune", NETWORK, "--target", "vta", "-o", log],
            &trials[..],
        ]
        .concat(),
    ))
}

/// Index, error and costs of each record.
fn measured(folder: &Path, log: &str) -> Vec<(String, u64, u32, Vec<f64>)> {
    let log = read_log(&folder.join(log)).unwrap();
    let mut found: Vec<_> = log
        .records
        .into_iter()
        .map(|(_, record)| {
            (
                record.workload.args.to_string(),
                record.config.index.0,
                record.result.error_no as u32,
                record.result.costs.clone(),
            )
        })
        .collect();
    found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    found
}

#[test]
fn a_network_is_tuned_on_the_accelerator_and_equals_the_cpu_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tune(folder, "net.log");
    let first = measured(folder, "net.log");
    assert!(first.len() >= 12, "{first:?}");
    for (_, index, error, costs) in &first {
        // What the rules of the hardware refuse was never proposed.
        assert_eq!(*error, 0, "configuration {index} failed");
        // Whole cycles of 10 ns.
        let cycles = costs[0] * 1e8;
        assert!(
            costs.len() == 1 && (cycles - cycles.round()).abs() < 1e-3,
            "{costs:?}"
        );
    }
    let (stdout, _) = succeed(&mut arco_tvm(
        folder,
        &[
            "verify",
            NETWORK,
            "--target",
            "vta",
            "--log",
            "net.log",
            "--network-only",
        ],
    ));
    assert!(
        stdout.contains("outputs agree: largest difference of an output 0.00e0"),
        "{stdout}"
    );
}

/// Builds configurations of logs as a builder does: a kernel file and the bytes of its arguments for each line.
const BUILD: &str = r##"
import json, math, sys
import vta.testing.simulator
from arco_tvm import builder
spaces, folder = sys.argv[1:]
import gzip, pathlib
made = []
for path in sorted(pathlib.Path(spaces).glob("*.log.gz")):
    with gzip.open(path, "rt") as file:
        records = [json.loads(line) for line in file if not line.startswith("#")]
    records.sort(key=lambda record: record["result"][0][0])
    for which in (0, len(records) // 2):
        target, name, args, _ = records[which]["input"]
        task = {"name": name, "args": args, "target": target, "host": "llvm"}
        answer = builder.build(task, records[which]["config"], {})
        file = pathlib.Path(folder, f"{path.stem}-{which}.vta")
        file.write_bytes(builder.fetch(answer["token"]))
        sizes = [math.prod(spec["shape"]) for spec in answer["args"]]
        model = target.partition("-model=")[2].split()[0]
        made.append({"kernel": str(file), "bytes": sizes, "seconds": records[which]["result"][0][0], "model": model})
print(json.dumps(made))
"##;

/// What a kernel sends to the accelerator in its first and in its second launch, as a program file.
///
/// They differ: the first leaves a token behind, which the first instruction of the next one takes.
fn program_of(kernel: &Lowered, bytes: &[usize], geometry: Geometry) -> String {
    let (mut runtime, launches) = recording::recording(geometry);
    let buffers: Vec<BufferHandle> = bytes
        .iter()
        .map(|&bytes| runtime.memory().alloc(bytes).unwrap())
        .collect();
    let mut sites = Sites::default();
    for _ in 0..2 {
        kernel.run(&mut runtime, &mut sites, &buffers).unwrap();
    }
    let recorded = launches.lock().unwrap();
    let launch = |insns: &Vec<Insn>| Launch {
        insns: insns
            .iter()
            .map(|insn| insn.encode(&geometry).unwrap())
            .collect(),
        ..Launch::default()
    };
    let program = Program {
        name: "candidate".to_owned(),
        geometry,
        launches: recorded.iter().map(launch).collect(),
        timing_only: false,
        expected: Expected::default(),
    };
    program.to_json().unwrap()
}

#[test]
fn what_a_log_says_is_the_second_launch_of_the_same_program() {
    let folder = tempfile::tempdir().unwrap();
    let spaces = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/vta_spaces");
    let said = support::run_python(BUILD, &[&spaces, folder.path()]);
    let made: Vec<Value> = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(made.len(), 22);
    for candidate in made {
        let kernel = std::fs::read(candidate["kernel"].as_str().unwrap()).unwrap();
        let kernel = Lowered::from_bytes(&kernel).unwrap();
        let sizes: Vec<usize> = serde_json::from_value(candidate["bytes"].clone()).unwrap();
        let geometry = Geometry::from_name(candidate["model"].as_str().unwrap()).unwrap();
        let file = folder.path().join("program.json");
        std::fs::write(&file, program_of(&kernel, &sizes, geometry)).unwrap();
        let (said, _) = succeed(&mut arco_tvm(
            folder.path(),
            &["vta", "run", "program.json", "--timing-only", "--json"],
        ));
        let report: Value = serde_json::from_str(&said).unwrap();
        let cycles = report["launches"][1].as_u64().unwrap();
        let logged = candidate["seconds"].as_f64().unwrap() * 1e6 * f64::from(geometry.clock_mhz());
        assert_eq!(cycles, logged.round() as u64, "{candidate}");
    }
}
