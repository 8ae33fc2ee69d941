//! Speed of the timing model alone: nanoseconds per event (an instruction or a memory request), simulated cycles per
//! millisecond, and allocations of a launch.
//!
//! For scale, from the timing notes and not run here: the RTL simulator plays 270 thousand cycles in a millisecond.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use arco_tvm::vta::isa::Insn;
use arco_tvm::vta::program::{self, Program};
use arco_tvm::vta::timing::{TimingModel, TimingOptions, simulate};
use std::path::Path;
use std::time::{Duration, Instant};

/// Targets that the table is measured against.
const NS_PER_EVENT: f64 = 40.0;
const CYCLES_PER_MS: f64 = 1e6;
/// The second target is for programs with at least so many cycles per event.
const SPARSE: f64 = 150.0;

/// Each program is timed for this long, and at least three times.
const TIME_EACH: Duration = Duration::from_millis(150);

fn main() {
    // `cargo test --benches` passes arguments of its own and wants nothing measured.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    println!(
        "{:34} {:>5} {:>8} {:>9} {:>8} {:>9} {:>9} {:>9} {:>7}",
        "program", "burst", "events", "cycles", "cyc/evt", "ns/evt", "+decode", "Mcyc/ms", "allocs"
    );
    let mut slowest: f64 = 0.0;
    let mut sparse = f64::INFINITY;
    let mut total = (0.0, 0.0);
    for (name, program) in programs() {
        for burst in [16, 256] {
            let row = measure(&program, burst);
            let cycles_per_ms = row.cycles / (row.launch * 1e3);
            let ns = row.launch * 1e9 / row.events;
            println!(
                "{name:34} {burst:>5} {:>8} {:>9} {:>8.1} {ns:>9.1} {:>9.1} {:>9.2} {:>7}",
                row.events,
                row.cycles,
                row.cycles / row.events,
                row.simulate * 1e9 / row.events,
                cycles_per_ms / 1e6,
                row.allocations
            );
            slowest = slowest.max(ns);
            if row.cycles / row.events > SPARSE {
                sparse = sparse.min(cycles_per_ms);
            }
            total = (total.0 + row.launch, total.1 + row.events);
        }
    }
    println!(
        "\nall programs: {:.1} ns per event, slowest {slowest:.1} (target: at most {NS_PER_EVENT})",
        total.0 * 1e9 / total.1
    );
    println!(
        "programs above {SPARSE} cycles per event: at least {:.2} million cycles per ms (target: {:.0}; RTL simulator, quoted: 0.27)",
        sparse / 1e6,
        CYCLES_PER_MS / 1e6
    );
}

/// Every golden program of some length.
fn programs() -> Vec<(String, Program)> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vta");
    let mut paths: Vec<_> = ["programs", "rtl"]
        .into_iter()
        .filter_map(|folder| std::fs::read_dir(data.join(folder)).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            let name = name.trim_end_matches(".json.gz").to_owned();
            Some((name, program::load(&path).ok()?))
        })
        .filter(|(_, program)| program.insn_count() > 500)
        .collect()
}

struct Row {
    events: f64,
    cycles: f64,
    /// Seconds of a launch of decoded instructions, and of `simulate` from raw ones: the fastest of several.
    launch: f64,
    simulate: f64,
    /// Allocations during a launch.
    allocations: u64,
}

fn measure(program: &Program, burst: u32) -> Row {
    let options = TimingOptions {
        max_burst: Some(burst),
        ..TimingOptions::default()
    };
    let report = simulate(program, &options).expect("golden programs run");
    let insns: Vec<Insn> = program.decode(0).expect("golden programs decode");
    let geometry = options.geometry(&program.geometry).expect("valid burst");
    let mut model = TimingModel::new(&geometry);
    // Tokens that a launch leaves must not add up.
    let mut launch = || {
        model.set_tokens([0; 4]);
        model.launch(&insns).map(|timing| timing.cycles)
    };
    let allocations = allocation_counter::measure(|| {
        let _ = launch();
    });
    let memory = &report.memory;
    let events = insns.len() as u64 + memory.read_requests + memory.write_requests;
    Row {
        events: events as f64,
        cycles: report.cycles as f64,
        launch: fastest(|| {
            let _ = std::hint::black_box(launch());
        }),
        simulate: fastest(|| {
            let _ = std::hint::black_box(simulate(program, &options));
        }),
        allocations: allocations.count_total,
    }
}

fn fastest(mut work: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    let mut times = 0;
    while times < 3 || begin.elapsed() < TIME_EACH {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
        times += 1;
    }
    best
}
