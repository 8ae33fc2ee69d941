//! One strategy on one recorded space with one seed.

use std::sync::Arc;
use std::time::Duration;

use crate::measure::recorded::{Evaluation, RecordedSpace};
use crate::seed::Seed;
use crate::strategy::{Observation, Outcome, Strategy, StrategyError, StrategyKind};
use crate::task::ConfigIndex;
use crate::transfer::Knowledge;

use super::cpu::CpuClock;
use super::jobs::Job;

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

/// Searches a recorded space, after those that come before it, with at most `budget` evaluations; failures count.
///
/// A strategy is asked for as many configurations at once as it likes, as in tuning, and told of all of them before it
/// is asked again. A run ends early when the strategy has nothing left.
///
/// # Errors
/// When the strategy cannot go on.
pub fn replay(job: &Job<'_>, clock: CpuClock) -> Result<History, ReplayError> {
    let error = |space: &RecordedSpace, source| ReplayError {
        space: space.name.clone(),
        strategy: job.strategy,
        seed: job.seed,
        source: Box::new(source),
    };
    let knowledge = Knowledge::default();
    let build = |recorded: &RecordedSpace, seed| {
        let space = Arc::clone(&recorded.space);
        job.strategy
            .build(space, &recorded.context, seed, &knowledge)
    };
    let before = match job.before.budget {
        0 => &[],
        _ => job.before.spaces,
    };
    for space in before.iter().filter(|other| other.name != job.space.name) {
        let seed = Seed(job.seed).child(&space.name);
        replay_with(
            space,
            &mut *build(space, seed),
            job.before.budget,
            job.lookahead,
            clock,
        )
        .map_err(|source| error(space, source))?;
    }
    let started = clock.now();
    let mut strategy = build(job.space, Seed(job.seed));
    let building = clock.now().saturating_sub(started);
    let mut history = replay_with(job.space, &mut *strategy, job.budget, job.lookahead, clock)
        .map_err(|source| error(job.space, source))?;
    history.search_cpu += building;
    Ok(history)
}

/// The same with a strategy that is there already, of this space. It is asked for more while at most `lookahead`
/// evaluations are in flight, and told of them in the order they were asked for.
///
/// # Errors
/// When the strategy cannot go on.
pub fn replay_with(
    recorded: &RecordedSpace,
    strategy: &mut dyn Strategy,
    budget: usize,
    lookahead: usize,
    clock: CpuClock,
) -> Result<History, StrategyError> {
    let started = clock.now();
    let mut evaluations = Vec::with_capacity(budget);
    let mut looking_up = Duration::ZERO;
    // The last so many of the evaluations: the strategy was not told of them yet.
    let mut outstanding = 0;
    loop {
        while evaluations.len() < budget && outstanding <= lookahead {
            let n = strategy.batch().clamp(1, budget - evaluations.len());
            let proposals = strategy.ask(n)?;
            if proposals.is_empty() {
                break;
            }
            let pause = clock.now();
            let fresh = proposals.iter().take(n);
            evaluations.extend(fresh.map(|p| (p.index, recorded.evaluate(p.index))));
            looking_up += clock.now().saturating_sub(pause);
            outstanding += proposals.len().min(n);
        }
        if outstanding == 0 {
            break;
        }
        // Whatever more than the lookahead is in flight.
        let told = outstanding.saturating_sub(lookahead).max(1);
        let first = evaluations.len() - outstanding;
        let observations: Vec<Observation> = evaluations[first..first + told]
            .iter()
            .map(|&(index, evaluation)| Observation {
                index,
                outcome: evaluation.cost.map_or_else(Outcome::Failed, Outcome::Cost),
            })
            .collect();
        outstanding -= told;
        strategy.tell(&observations)?;
    }
    Ok(History {
        evaluations,
        search_cpu: clock.now().saturating_sub(started + looking_up),
    })
}
