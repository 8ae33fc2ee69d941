//! The functional model on ResNet's 116-MMAC layers: each GEMM path, and an int8 GEMM library on the same shapes.
//!
//! Prints a table: milliseconds at best and in the middle of all repetitions, single-threaded, whole programs (loads,
//! GEMM, ALU, stores; decoding not counted), and the allocations of one launch. The library gets what it wants: the
//! convolution as a plain matrix product of bytes already laid out, weights packed beforehand, no loads, ALU or stores.
#![allow(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]

mod layer;

use arco_tvm::vta::config::Geometry;
use arco_tvm::vta::func::{GemmPath, Machine};
use arco_tvm::vta::program::{self, Program};
use arco_tvm::vta::run;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use std::time::{Duration, Instant};

/// A layer: golden program (or one built here) and the convolution as a matrix product `[m, k] x [k, n]`.
const LAYERS: [(&str, [usize; 3]); 7] = [
    ("programs/C2_h7w14c1", [56 * 56, 64 * 9, 64]),
    ("programs/C2_h7w56c2_hvt2", [56 * 56, 64 * 9, 64]),
    ("rtl/C5_i897", [28 * 28, 128 * 9, 128]),
    ("programs/C8_h14w14c2_ovt2", [14 * 14, 256 * 9, 256]),
    ("rtl/C8_i254", [14 * 14, 256 * 9, 256]),
    (C11, [7 * 7, 512 * 9, 512]),
    ("programs/b8_C5_h7w28c2_hvt2", [28 * 28, 128 * 9, 128]),
];

/// The layer that the golden data has no program of.
const C11: &str = "C11_h7w7c4 (built here)";

fn load(name: &str) -> Result<Program, program::ProgramError> {
    if name == C11 {
        return Ok(layer::conv3x3(&Geometry::default(), 7, 512, 4));
    }
    program::load(format!(
        "{}/tests/data/vta/{name}.json.gz",
        env!("CARGO_MANIFEST_DIR")
    ))
}

/// How long one cell of the table may take.
const PATIENCE: Duration = Duration::from_millis(400);

fn main() {
    // Under `cargo test --benches` a run only proves that it works.
    let patience = if std::env::args().any(|a| a == "--bench") {
        PATIENCE
    } else {
        Duration::ZERO
    };
    println!(
        "{:<28} {:<30} {:>8} {:>8} {:>8} {:>7}",
        "layer", "path", "min ms", "med ms", "GMAC/s", "allocs"
    );
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    for (name, shape) in LAYERS {
        let program = match load(name) {
            Ok(program) => program,
            Err(error) => {
                println!("{name}: {error}");
                continue;
            }
        };
        let macs: usize = shape.iter().product();
        for path in GemmPath::ALL {
            if path.is_available(&program.geometry) {
                let (times, allocations) = vta(&program, path, patience);
                print(name, path.name(), macs, times, Some(allocations));
            }
        }
        if let Ok(pool) = &pool {
            let (kernel, times) = pool.install(|| library(shape, patience));
            print(name, &format!("rten-gemm {kernel}"), macs, times, None);
        }
    }
    instruction_cost(patience);
}

fn print(layer: &str, path: &str, macs: usize, mut times: Vec<Duration>, allocations: Option<u64>) {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (best, middle) = (ms(times[0]), ms(times[times.len() / 2]));
    let rate = macs as f64 / best / 1e6;
    let allocations = allocations.map_or("-".to_owned(), |n| n.to_string());
    println!("{layer:<28} {path:<30} {best:>8.2} {middle:>8.2} {rate:>8.1} {allocations:>7}");
}

fn repeat(patience: Duration, mut f: impl FnMut()) -> Vec<Duration> {
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.is_empty() || begin.elapsed() < patience {
        let start = Instant::now();
        f();
        times.push(start.elapsed());
    }
    times
}

fn vta(program: &Program, path: GemmPath, patience: Duration) -> (Vec<Duration>, u64) {
    let mut machine = Machine::with_path(program.geometry, path);
    let mut dram = run::memory(program).expect("golden memory fits");
    for row in &program.launches[0].dram_in {
        dram.fill(row.addr, &row.bytes).expect("golden memory fits");
    }
    let insns = program.decode(0).expect("golden programs decode");
    let mut launch = || {
        machine
            .launch(&insns, &mut dram)
            .expect("golden programs run");
    };
    launch();
    let allocations = allocation_counter::measure(&mut launch).count_total;
    (repeat(patience, launch), allocations)
}

fn library([m, k, n]: [usize; 3], patience: Duration) -> (String, Vec<Duration>) {
    let gemm = GemmExecutor::<u8, i8, i32>::new();
    let a = NdTensor::from_fn([m, k], |[i, j]| (i * 31 + j * 7) as u8);
    let b = NdTensor::from_fn([k, n], |[i, j]| (i * 13 + j * 5) as i8);
    let packed = gemm.prepack_b(b.view());
    let mut out = vec![0i32; m * n];
    let times = repeat(patience, || {
        gemm.gemm(
            &mut out,
            GemmInputA::Unpacked(a.view()),
            GemmInputB::Packed(&packed),
            GemmOptions::default(),
        )
        .expect("shapes agree");
    });
    std::hint::black_box(&out);
    (gemm.kernel_name().to_owned(), times)
}

/// What an instruction costs that does nothing, and one that does little.
fn instruction_cost(patience: Duration) {
    for name in ["rtl/C7_i642", "rtl/P1_i617"] {
        let Ok(program) = load(name) else {
            continue;
        };
        let (mut times, _) = vta(&program, GemmPath::detect(&Geometry::default()), patience);
        times.sort();
        let insns = program.insn_count();
        let nanoseconds = times[0].as_secs_f64() * 1e9 / insns as f64;
        println!("{name}: {insns} instructions, {nanoseconds:.0} ns each");
    }
}
