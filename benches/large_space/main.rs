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
use arco_tvm::strategy::{Arco, ArcoConstants, Strategy, StrategyKind};
use arco_tvm::task::{ConfigSpace, TargetKind, TaskContext};
use arco_tvm::transfer::Knowledge;

#[path = "../../tests/strategies/large.rs"]
mod large;

/// What `arco` is held against.
const STRATEGIES: [StrategyKind; 10] = [
    StrategyKind::ArcoWithoutLearning,
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
/// Evaluations after which it is looked at.
const AFTER: [usize; 3] = [64, 128, 256];

fn main() {
    // Under `cargo test --benches` a run only proves that it works.
    let functions = if std::env::args().any(|arg| arg == "--bench") {
        24
    } else {
        1
    };
    println!(
        "{:<22} {:>24} {:>24} {:>24} {:>7}",
        "", "after 64", "after 128", "after 256", "CPU ms"
    );
    let space = Arc::new(large::space());
    let mut table = Table {
        space: &space,
        functions,
        first: None,
    };
    table.row("arco", &|seed| {
        large::build(StrategyKind::Arco, &space, seed)
    });
    table.row("arco, ten times faster", &|seed| {
        let mut constants = ArcoConstants::default();
        constants.team.learning_rate *= 10.0;
        constants.team.entropy /= 10.0;
        arco_with(constants, &space, seed)
    });
    table.row("arco, four times as far", &|seed| {
        let mut constants = ArcoConstants::default();
        constants.rounds *= 4;
        arco_with(constants, &space, seed)
    });
    for kind in STRATEGIES {
        table.row(kind.name(), &|seed| large::build(kind, &space, seed));
    }
}

/// `arco` with other constants.
fn arco_with(constants: ArcoConstants, space: &Arc<ConfigSpace>, seed: Seed) -> Box<dyn Strategy> {
    let context = TaskContext::bare(TargetKind::Gpu);
    let (space, knowledge) = (Arc::clone(space), Knowledge::default());
    let kind = StrategyKind::Arco;
    Box::new(Arco::new(
        kind, space, &context, seed, &knowledge, constants,
    ))
}

struct Table<'a> {
    space: &'a Arc<ConfigSpace>,
    functions: u64,
    /// What the first row came to.
    first: Option<Vec<[f64; 3]>>,
}

impl Table<'_> {
    fn row(&mut self, name: &str, build: &dyn Fn(Seed) -> Box<dyn Strategy>) {
        let clock = CpuClock::Process;
        let started = clock.now();
        let runs: Vec<[f64; 3]> = (0..self.functions)
            .map(|function| {
                let costs =
                    large::search(&mut *build(Seed(function)), self.space, function, AFTER[2]);
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
        print!("{name:<22}");
        let best = self.first.get_or_insert_with(|| runs.clone());
        for after in 0..AFTER.len() {
            let at: Vec<f64> = runs.iter().map(|run| run[after]).collect();
            let pairs = runs.iter().zip(best.iter());
            let behind: Vec<f64> = pairs.map(|(run, best)| run[after] - best[after]).collect();
            let error = standard_deviation(&behind) / (self.functions as f64).sqrt();
            print!(" {:>7.3} ({:+.3} ± {error:.3})", mean(&at), mean(&behind));
        }
        println!(" {:>7.2}", cpu / (self.functions as f64 * AFTER[2] as f64));
    }
}
