//! One strategy on one recorded space with one seed.

use std::sync::Arc;
use std::time::Duration;

use crate::measure::recorded::{Evaluation, RecordedSpace};
use crate::seed::Seed;
use crate::strategy::{Observation, Outcome, StrategyError, StrategyKind};
use crate::task::ConfigIndex;

use super::cpu::CpuClock;

/// What a run asked for, in order, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Configurations and what they came to.
    pub evaluations: Vec<(ConfigIndex, Evaluation)>,
    /// CPU time that the strategy took for all of it.
    pub search_cpu: Duration,
}

/// Why a run broke off.
#[derive(Debug, thiserror::Error)]
#[error("{strategy} on {space}, seed {seed}: {source}")]
pub struct ReplayError {
    /// The space's name.
    pub space: String,
    /// The strategy.
    pub strategy: StrategyKind,
    /// The seed.
    pub seed: u64,
    /// What is wrong.
    pub source: Box<StrategyError>,
}

impl History {
    /// Recorded seconds of all evaluations; `None` where the record has none.
    pub fn measuring_seconds(&self) -> Option<f64> {
        let seconds = self
            .evaluations
            .iter()
            .filter_map(|(_, evaluation)| evaluation.seconds);
        seconds.fold(None, |sum, seconds| Some(sum.unwrap_or_default() + seconds))
    }

    /// Costs in the order of evaluation, `None` for a failure.
    pub fn costs(&self) -> impl Iterator<Item = Option<f64>> {
        self.evaluations
            .iter()
            .map(|(_, evaluation)| evaluation.cost.ok())
    }
}

/// Searches a recorded space with at most `budget` evaluations; failures count.
///
/// A strategy is asked for as many configurations at once as it likes, as in tuning, and told of all of them before it
/// is asked again. A run ends early when the strategy has nothing left.
///
/// # Errors
/// When the strategy cannot go on.
pub fn replay(
    recorded: &RecordedSpace,
    kind: StrategyKind,
    seed: Seed,
    budget: usize,
    clock: CpuClock,
) -> Result<History, ReplayError> {
    let started = clock.now();
    let error = |source| ReplayError {
        space: recorded.name.clone(),
        strategy: kind,
        seed: seed.0,
        source: Box::new(source),
    };
    let mut strategy = kind
        .build(Arc::clone(&recorded.space), &recorded.context, seed)
        .map_err(error)?;
    let mut evaluations = Vec::with_capacity(budget);
    let mut looking_up = Duration::ZERO;
    while evaluations.len() < budget {
        let n = strategy.batch().clamp(1, budget - evaluations.len());
        let proposals = strategy.ask(n).map_err(error)?;
        if proposals.is_empty() {
            break;
        }
        let pause = clock.now();
        let fresh: Vec<(ConfigIndex, Evaluation)> = proposals
            .iter()
            .take(n)
            .map(|proposal| (proposal.index, recorded.evaluate(proposal.index)))
            .collect();
        let observations: Vec<Observation> = fresh
            .iter()
            .map(|&(index, evaluation)| Observation {
                index,
                outcome: evaluation.cost.map_or_else(Outcome::Failed, Outcome::Cost),
            })
            .collect();
        evaluations.extend(fresh);
        looking_up += clock.now().saturating_sub(pause);
        strategy.tell(&observations).map_err(error)?;
    }
    Ok(History {
        evaluations,
        search_cpu: clock.now().saturating_sub(started + looking_up),
    })
}
