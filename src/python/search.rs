//! One search that somebody else drives: AutoTVM's loop asks, measures and tells.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Deserialize;

use crate::record::ErrorNo;
use crate::seed::Seed;
use crate::strategy::{Observation, Outcome, Proposal, Strategy, StrategyKind};
use crate::task::{ConfigIndex, GpuLimits, TaskContext, TaskDescription, ValidityFilter};
use crate::transfer::Knowledge;

/// Options of `arco.tuner.create`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SearchOptions {
    /// Strategy by name.
    pub strategy: Option<String>,
    /// Seed of all draws.
    pub seed: u64,
    /// What the device allows, where it is a GPU: what needs more is not proposed.
    pub gpu_limits: Option<GpuLimits>,
}

/// A measurement as `arco.tuner.update` takes it.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    /// The configuration.
    pub index: ConfigIndex,
    /// Mean seconds of one run; null for a failure.
    pub cost: Option<f64>,
    /// AutoTVM's error number.
    #[serde(default)]
    pub error_no: u64,
}

/// Why a search cannot do what it is asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum SearchError {
    #[error("the options are not understood: {0}")]
    Options(serde_json::Error),
    #[error("the task's description is not understood: {0}")]
    Description(serde_json::Error),
    #[error("the measurements are not understood: {0}")]
    Measurements(serde_json::Error),
    #[error(transparent)]
    Task(#[from] crate::task::DescriptionError),
    #[error(transparent)]
    UnknownStrategy(#[from] crate::strategy::UnknownStrategy),
    #[error(transparent)]
    Strategy(#[from] crate::strategy::StrategyError),
}

/// A strategy, and what it proposed that nobody took yet.
pub(super) struct Search {
    strategy: Box<dyn Strategy>,
    /// Proposed when somebody asked whether there is anything left.
    ahead: VecDeque<Proposal>,
}

impl Search {
    pub(super) fn new(
        description: &str,
        options: &str,
        filter: Option<Arc<dyn ValidityFilter>>,
    ) -> Result<Self, SearchError> {
        let options: SearchOptions = serde_json::from_str(options).map_err(SearchError::Options)?;
        let description: TaskDescription =
            serde_json::from_str(description).map_err(SearchError::Description)?;
        let kind = options
            .strategy
            .map_or(Ok(StrategyKind::default()), |name| name.parse())?;
        let task = description.into_task(filter)?;
        let task = match options.gpu_limits {
            Some(limits) => task.within(limits),
            None => task,
        };
        let context = TaskContext::of(&task.workload);
        Ok(Self {
            strategy: kind.build(
                Arc::new(task.space),
                &context,
                Seed(options.seed),
                &Knowledge::default(),
            ),
            ahead: VecDeque::new(),
        })
    }

    pub(super) fn has_next(&mut self) -> Result<bool, SearchError> {
        if self.ahead.is_empty() {
            self.ahead = self.strategy.ask(1)?.into();
        }
        Ok(!self.ahead.is_empty())
    }

    pub(super) fn next_batch(&mut self, n: usize) -> Result<Vec<ConfigIndex>, SearchError> {
        let held = self.ahead.len().min(n);
        let mut batch: Vec<Proposal> = self.ahead.drain(..held).collect();
        batch.extend(self.strategy.ask(n - held)?);
        Ok(batch.into_iter().map(|proposal| proposal.index).collect())
    }

    pub(super) fn update(&mut self, measurements: &str) -> Result<(), SearchError> {
        let told: Vec<Told> =
            serde_json::from_str(measurements).map_err(SearchError::Measurements)?;
        let observations: Vec<Observation> = told
            .into_iter()
            .map(|told| Observation {
                index: told.index,
                outcome: told.cost.map_or_else(
                    || {
                        Outcome::Failed(
                            ErrorNo::from_number(told.error_no).unwrap_or(ErrorNo::Unknown),
                        )
                    },
                    Outcome::Cost,
                ),
            })
            .collect();
        Ok(self.strategy.tell(&observations)?)
    }
}
