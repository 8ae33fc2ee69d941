//! What is compared in spaces that are too large to look at.

use std::sync::Arc;

use arco_tvm::seed::Seed;
use arco_tvm::strategy::{Arco, ArcoConstants, Strategy, StrategyKind};
use arco_tvm::task::{ConfigSpace, TargetKind, TaskContext};
use arco_tvm::transfer::Knowledge;

/// What `arco` is held against.
pub const STRATEGIES: [StrategyKind; 9] = [
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
pub const AFTER: [usize; 3] = [64, 128, 256];

/// `arco` with agents that learn otherwise: Adam's step, and the weight of the entropy.
pub fn arco_that_learns(
    (learning_rate, entropy): (f64, f64),
    space: &Arc<ConfigSpace>,
    target: TargetKind,
    seed: Seed,
) -> Box<dyn Strategy> {
    let mut constants = ArcoConstants::default();
    constants.team.learning_rate = learning_rate;
    constants.team.entropy = entropy;
    let context = TaskContext::bare(target);
    let (space, knowledge) = (Arc::clone(space), Knowledge::default());
    let kind = StrategyKind::Arco;
    Box::new(Arco::new(
        kind, space, &context, seed, &knowledge, constants,
    ))
}
