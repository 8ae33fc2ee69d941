//! Strategies in spaces that are too large to look at and are not made up: a layer of ResNet-18 together with VTA's geometry.
//!
//!     cargo bench --bench joint_space -- --seeds 10
//!
//! Up to 1,024 multipliers and 1,024 KiB of buffers. A cost is cycles times area (of the draft model, which is exact), in units of
//! what the default geometry would take if its multipliers were always busy. A schedule that takes 16 times as long even if every unit
//! were always busy counts as one that ran into its time limit.
//!
//! Prints the mean over layers and seeds of ln(lowest cost) after 64, 128 and 256 evaluations, and how far each strategy is behind the
//! first with the 95 % interval of a bootstrap over seeds within each layer: 0.1 behind is 10 % more.
#![allow(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]

mod layers;
#[path = "../large_space/rows.rs"]
mod rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arco_tvm::codesign::DraftEvaluator;
use arco_tvm::replay::{CpuClock, Paired, mean, pooled};
use arco_tvm::seed::Seed;
use arco_tvm::strategy::{Observation, Strategy, StrategyKind};
use arco_tvm::task::{TargetKind, TaskContext};
use arco_tvm::transfer::Knowledge;
use layers::{LAYERS, Layer};
use rows::{AFTER, STRATEGIES, arco_that_learns};

/// A strategy by its name, and how it is built for a layer and a seed.
type Build<'a> = (
    &'a str,
    Box<dyn Fn(&Layer, Seed) -> Box<dyn Strategy> + Sync>,
);

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let number = |name: &str| -> Option<u64> {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1)?.parse().ok()
    };
    // Under `cargo test --benches` a run only proves that it works.
    let bench = words.iter().any(|word| word == "--bench");
    let seeds = number("--seeds").unwrap_or(if bench { 10 } else { 1 });
    let count = if bench { LAYERS.len() } else { 1 };
    let layers: Vec<Layer> = LAYERS[..count].iter().map(Layer::new).collect();
    for layer in &layers {
        println!("{}", layer.describe());
    }
    println!(
        "\n{:<22} {:>31} {:>31} {:>31} {:>7}",
        "", "after 64", "after 128", "after 256", "CPU ms"
    );
    let mut builds: Vec<Build<'_>> = vec![
        (
            "arco",
            Box::new(|layer, seed| build(StrategyKind::Arco, layer, seed)),
        ),
        (
            "arco, no learning",
            Box::new(|layer, seed| {
                arco_that_learns((0.0, 0.1), layer.space(), TargetKind::Vta, seed)
            }),
        ),
    ];
    for kind in STRATEGIES {
        let named: Build<'_> = (
            kind.name(),
            Box::new(move |layer: &Layer, seed| build(kind, layer, seed)),
        );
        builds.push(named);
    }
    let mut first = None;
    for (name, build) in &builds {
        let runs = run_all(&layers, seeds, build);
        let rows = AFTER.map(|after| reached(&runs, layers.len(), after));
        print!("{name:<22}");
        let best = first.get_or_insert_with(|| rows.clone());
        for (row, best) in rows.iter().zip(best.iter()) {
            let all = row
                .iter()
                .map(|of_layer| mean(of_layer))
                .collect::<Vec<_>>();
            let Paired {
                difference,
                low,
                high,
                ..
            } = pooled(row, best).unwrap();
            let all = mean(&all);
            print!(" {all:>7.3} ({difference:+.3}, {low:+.3} to {high:+.3})");
        }
        let spent: Vec<f64> = runs.iter().map(|run| run.cpu.as_secs_f64() * 1e3).collect();
        println!(" {:>7.2}", mean(&spent) / AFTER[2] as f64);
    }
}

/// A strategy that knows of no other task.
fn build(kind: StrategyKind, layer: &Layer, seed: Seed) -> Box<dyn Strategy> {
    let context = TaskContext::bare(TargetKind::Vta);
    let space = Arc::clone(layer.space());
    kind.build(space, &context, seed, &Knowledge::default())
}

/// One search.
struct Run {
    layer: usize,
    seed: u64,
    /// The lowest cost after 1, 2, ... evaluations.
    best: Vec<f64>,
    /// What the strategy took, all drafting apart.
    cpu: Duration,
}

/// Every layer with every seed; a thread for each core.
fn run_all(
    layers: &[Layer],
    seeds: u64,
    build: &(dyn Fn(&Layer, Seed) -> Box<dyn Strategy> + Sync),
) -> Vec<Run> {
    let next = AtomicUsize::new(0);
    let jobs = layers.len() * seeds as usize;
    let work = || {
        let mut draft = DraftEvaluator::default();
        let mut runs = Vec::new();
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                return runs;
            }
            let (seed, layer) = ((job / layers.len()) as u64, job % layers.len());
            let mut strategy = build(&layers[layer], Seed(seed));
            let (best, cpu) = search(&mut *strategy, &layers[layer], &mut draft);
            runs.push(Run {
                layer,
                seed,
                best,
                cpu,
            });
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut runs: Vec<Run> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.flatten().collect()
    });
    runs.sort_by_key(|run| (run.layer, run.seed));
    runs
}

fn search(
    strategy: &mut dyn Strategy,
    layer: &Layer,
    draft: &mut DraftEvaluator,
) -> (Vec<f64>, Duration) {
    let budget = AFTER[2];
    let clock = CpuClock::Thread;
    let mut cpu = Duration::ZERO;
    let mut best: Vec<f64> = Vec::with_capacity(budget);
    while best.len() < budget {
        let started = clock.now();
        let n = strategy.batch().min(budget - best.len());
        let proposals = strategy.ask(n).unwrap();
        cpu += clock.now().saturating_sub(started);
        let told: Vec<Observation> = proposals
            .iter()
            .map(|proposal| {
                let outcome = layer.measure(proposal.index, draft);
                let cost = outcome.comparable_cost().unwrap_or(f64::INFINITY);
                best.push(best.last().map_or(cost, |best| best.min(cost)));
                Observation {
                    index: proposal.index,
                    outcome,
                }
            })
            .collect();
        let started = clock.now();
        strategy.tell(&told).unwrap();
        cpu += clock.now().saturating_sub(started);
    }
    (best, cpu)
}

/// ln of the lowest cost, a list for each layer.
fn reached(runs: &[Run], layers: usize, after: usize) -> Vec<Vec<f64>> {
    let of = |layer| runs.iter().filter(move |run| run.layer == layer);
    (0..layers)
        .map(|layer| of(layer).map(|run| run.best[after - 1].ln()).collect())
        .collect()
}
