//! Strategies in a space of 1e9 that nobody could record: nine tiles of ten sizes, and a made-up cost.
//!
//! Prints the mean over functions of ln(best seconds) after 64, 128 and 256 evaluations, and how far each strategy is
//! behind the first with its standard error: 0.1 behind is a kernel that takes 10 % longer.
#![allow(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]

use std::sync::Arc;

use arco_tvm::replay::{CpuClock, mean, standard_deviation};
use arco_tvm::seed::Seed;
use arco_tvm::strategy::StrategyKind;

#[path = "../../tests/strategies/large.rs"]
mod large;

const STRATEGIES: [StrategyKind; 10] = [
    StrategyKind::Arco,
    StrategyKind::ArcoWithoutAgents,
    StrategyKind::ArcoOneAgent,
    StrategyKind::ArcoIndependentCritics,
    StrategyKind::ArcoWithoutHardware,
    StrategyKind::ArcoTopK,
    StrategyKind::Gbt16,
    StrategyKind::SaGbt,
    StrategyKind::Ga,
    StrategyKind::Random,
];
const AFTER: [usize; 3] = [64, 128, 256];

fn main() {
    // Under `cargo test --benches` a run only proves that it works.
    let functions = if std::env::args().any(|arg| arg == "--bench") {
        24
    } else {
        1
    };
    println!(
        "{:<18} {:>23} {:>23} {:>23} {:>7}",
        "", "after 64", "after 128", "after 256", "CPU ms"
    );
    let mut first: Option<Vec<[f64; 3]>> = None;
    for kind in STRATEGIES {
        let clock = CpuClock::Process;
        let started = clock.now();
        let runs: Vec<[f64; 3]> = (0..functions)
            .map(|function| {
                let space = Arc::new(large::space());
                let costs = large::search(kind, &space, Seed(function), function, AFTER[2]);
                AFTER.map(|n| {
                    costs[..n]
                        .iter()
                        .copied()
                        .fold(f64::INFINITY, f64::min)
                        .ln()
                })
            })
            .collect();
        let cpu = clock.now().saturating_sub(started).as_secs_f64() * 1e3;
        print!("{:<18}", kind.name());
        let best = first.get_or_insert_with(|| runs.clone());
        for after in 0..AFTER.len() {
            let at: Vec<f64> = runs.iter().map(|run| run[after]).collect();
            let behind: Vec<f64> = runs
                .iter()
                .zip(best.iter())
                .map(|(run, best)| run[after] - best[after])
                .collect();
            let error = standard_deviation(&behind) / (functions as f64).sqrt();
            print!(" {:>7.3} ({:+.3} ± {error:.3})", mean(&at), mean(&behind));
        }
        println!(" {:>7.2}", cpu / (functions as f64 * AFTER[2] as f64));
    }
}
