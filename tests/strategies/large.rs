//! A space of 1e9 with a made-up cost: what no record holds.
#![allow(dead_code, reason = "a benchmark uses a part of it")]

use std::sync::Arc;

use arco_tvm::seed::Seed;
use arco_tvm::strategy::{Observation, Outcome, Strategy, StrategyKind};
use arco_tvm::task::{ConfigSpace, Entity, Knob, KnobKind, TargetKind, TaskContext};
use arco_tvm::transfer::Knowledge;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const KNOBS: [&str; 9] = [
    "tile_x", "tile_y", "tile_z", "tile_f", "tile_k", "unroll", "vec", "order", "split",
];
/// Sizes of each.
const SIZES: u32 = 10;

/// Nine tiles of 1 to 512.
pub fn space() -> ConfigSpace {
    let knob = |name: &str| {
        let sizes = (0..SIZES).map(|log| Entity::Split(vec![-1, 1 << log]));
        Knob::new(name, KnobKind::Split, sizes.collect()).unwrap()
    };
    ConfigSpace::new(KNOBS.map(knob).into()).unwrap()
}

/// A cost with what makes schedules hard: each tile has its best size, pairs of tiles share a limit, and every size has
/// a bump of its own.
struct Cost {
    /// Best size and weight of each tile.
    slopes: [(f64, f64); KNOBS.len()],
    bumps: [[f64; SIZES as usize]; KNOBS.len()],
    /// For each tile another one, and the sum of both that is best.
    pairs: [(usize, f64); KNOBS.len()],
}

impl Cost {
    fn of(function: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(function);
        let mut uniform = |scale: f64| scale * rng.random::<f64>();
        Self {
            slopes: std::array::from_fn(|_| (uniform(9.0), 0.05 + uniform(0.25))),
            bumps: std::array::from_fn(|_| std::array::from_fn(|_| uniform(0.1))),
            pairs: std::array::from_fn(|i| {
                let other = (i + 1 + uniform((KNOBS.len() - 1) as f64) as usize) % KNOBS.len();
                (other, 4.0 + uniform(10.0))
            }),
        }
    }

    /// Seconds.
    fn at(&self, digits: &[u32]) -> f64 {
        let mut log = 0.0;
        for (knob, &digit) in digits.iter().enumerate() {
            let (best, weight) = self.slopes[knob];
            let (other, sum) = self.pairs[knob];
            log +=
                weight * (f64::from(digit) - best).abs() / 3.0 + self.bumps[knob][digit as usize];
            log += 0.3 * ((f64::from(digit + digits[other]) - sum).abs() / 6.0).min(1.0);
        }
        1e-3 * log.exp()
    }
}

/// A strategy that knows of no other task.
pub fn build(kind: StrategyKind, space: &Arc<ConfigSpace>, seed: Seed) -> Box<dyn Strategy> {
    let context = TaskContext::bare(TargetKind::Gpu);
    kind.build(Arc::clone(space), &context, seed, &Knowledge::default())
}

/// Seconds of each configuration that a strategy measures of a function.
pub fn search(
    strategy: &mut dyn Strategy,
    space: &ConfigSpace,
    function: u64,
    budget: usize,
) -> Vec<f64> {
    let cost = Cost::of(function);
    let mut costs = Vec::with_capacity(budget);
    while costs.len() < budget {
        let told: Vec<Observation> = strategy
            .ask(strategy.batch().min(budget - costs.len()))
            .unwrap()
            .iter()
            .map(|proposal| {
                let seconds = cost.at(&space.digits(proposal.index).unwrap());
                costs.push(seconds);
                Observation {
                    index: proposal.index,
                    outcome: Outcome::Cost(seconds),
                }
            })
            .collect();
        strategy.tell(&told).unwrap();
    }
    costs
}

#[cfg(test)]
#[test]
fn in_a_space_too_large_to_look_at_agents_find_more_than_as_many_random_configurations() {
    let space = Arc::new(space());
    let found = |kind| -> f64 {
        let best = |function| {
            let mut strategy = build(kind, &space, Seed(function));
            let costs = search(&mut *strategy, &space, function, 128);
            costs.into_iter().fold(f64::INFINITY, f64::min).ln()
        };
        (0..6).map(best).sum::<f64>() / 6.0
    };
    let (agents, random) = (
        found(StrategyKind::Arco),
        found(StrategyKind::ArcoWithoutAgents),
    );
    assert!(agents < random - 0.1, "ln seconds: {agents}, {random}");
}
