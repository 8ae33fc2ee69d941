//! One task while it is tuned.

use std::sync::Arc;

use serde_json::json;

use crate::measure::Measurement;
use crate::record::{MeasureResult, Record};
use crate::strategy::{Observation, Outcome, Strategy, StrategyError};
use crate::task::{ConfigEntity, Task};

use super::failures::FailureCounts;
use super::stop::StopReason;

/// A task, its strategy, and what was found so far.
pub struct TaskRun {
    task: Arc<Task>,
    pub(super) strategy: Box<dyn Strategy>,
    trials: usize,
    resumed: usize,
    best: Option<(f64, ConfigEntity)>,
    /// Each improvement: the number of trials when it was found, and its cost.
    improvements: Vec<(usize, f64)>,
    /// Mean seconds of TVM's fallback schedule.
    untuned: Option<f64>,
    failures: FailureCounts,
    pub(super) stop: Option<StopReason>,
}

impl std::fmt::Debug for TaskRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskRun")
            .field("task", &self.task.workload.name)
            .field("trials", &self.trials)
            .field("best", &self.best_cost())
            .field("stop", &self.stop)
            .finish()
    }
}

impl TaskRun {
    /// A task of which nothing is known yet.
    pub fn new(task: Arc<Task>, strategy: Box<dyn Strategy>) -> Self {
        Self {
            task,
            strategy,
            trials: 0,
            resumed: 0,
            best: None,
            improvements: Vec::new(),
            untuned: None,
            failures: FailureCounts::default(),
            stop: None,
        }
    }

    /// Takes in what an earlier run found: records of this very workload.
    ///
    /// Records whose configuration the space does not have are passed over.
    ///
    /// # Errors
    /// When the strategy cannot take them in.
    pub fn resume<'a>(
        &mut self,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<(), StrategyError> {
        let mut observations: Vec<Observation> = Vec::new();
        for record in records {
            if record.workload != self.task.workload {
                continue;
            }
            let Ok(index) = self.task.space.find(&record.config) else {
                continue;
            };
            if observations.iter().any(|known| known.index == index) {
                continue;
            }
            self.count(&record.config, &record.result);
            observations.push(Observation {
                index,
                outcome: outcome(&record.result),
            });
        }
        self.resumed = self.trials;
        self.strategy.tell(&observations)
    }

    /// Takes in a finished candidate and tells the strategy.
    pub(super) fn take_in(
        &mut self,
        config: &ConfigEntity,
        measurement: &Measurement,
    ) -> Result<(), StrategyError> {
        let result = measurement.to_result();
        self.count(config, &result);
        if let Err(failure) = &measurement.outcome {
            self.failures.add(failure);
        }
        self.strategy.tell(&[Observation {
            index: config.index,
            outcome: outcome(&result),
        }])
    }

    /// Takes in the time of TVM's fallback schedule. Returns its configuration where the space has it.
    pub(super) fn take_in_fallback(&mut self, measurement: &Measurement) -> Option<ConfigEntity> {
        self.untuned = measurement.to_result().mean_cost();
        let chosen = json!({"index": 0, "entity": measurement.fallback});
        let chosen = ConfigEntity::from_json(&chosen).ok()?;
        let space = &self.task.space;
        let index = space.find(&chosen.with_outer_sizes_implied()).ok()?;
        space.get(index).ok()
    }

    fn count(&mut self, config: &ConfigEntity, result: &MeasureResult) {
        self.trials += 1;
        if let Some(cost) = result.mean_cost()
            && self.best_cost().is_none_or(|best| cost < best)
        {
            self.best = Some((cost, config.clone()));
            self.improvements.push((self.trials, cost));
        }
    }

    /// A measurement of this task as the log keeps it.
    pub(super) fn record(&self, config: &ConfigEntity, measurement: &Measurement) -> Record {
        Record {
            workload: self.task.workload.clone(),
            config: config.clone(),
            result: measurement.to_result(),
        }
    }

    /// The task.
    pub fn task(&self) -> &Arc<Task> {
        &self.task
    }

    /// Trials so far, those of earlier runs included.
    pub const fn trials(&self) -> usize {
        self.trials
    }

    /// Trials that an earlier run had done.
    pub const fn resumed(&self) -> usize {
        self.resumed
    }

    /// Mean seconds of the best configuration.
    pub fn best_cost(&self) -> Option<f64> {
        self.best.as_ref().map(|(cost, _)| *cost)
    }

    /// The best configuration.
    pub fn best_config(&self) -> Option<&ConfigEntity> {
        self.best.as_ref().map(|(_, config)| config)
    }

    /// Floating-point operations per second of the best configuration.
    pub fn best_flops(&self) -> Option<f64> {
        Some(self.task.flop? / self.best_cost()?)
    }

    /// Trials since the best was found.
    pub fn trials_since_best(&self) -> usize {
        self.trials - self.improvements.last().map_or(0, |&(trials, _)| trials)
    }

    /// Seconds by which the best fell in the last `n` trials.
    pub fn gain_of_last(&self, n: usize) -> f64 {
        let before = self.trials.saturating_sub(n);
        let then = self
            .improvements
            .iter()
            .rev()
            .find(|&&(trials, _)| trials <= before);
        // Before the first success there is nothing to compare with but the first success.
        let then = then.or(self.improvements.first());
        match (then, self.best_cost()) {
            (Some(&(_, then)), Some(now)) => then - now,
            _ => 0.0,
        }
    }

    /// Mean seconds of the schedule that TVM falls back to, where it was measured.
    pub const fn untuned_cost(&self) -> Option<f64> {
        self.untuned
    }

    /// Failures of this run.
    pub const fn failures(&self) -> &FailureCounts {
        &self.failures
    }

    /// Why it ended, if it did.
    pub const fn stop(&self) -> Option<StopReason> {
        self.stop
    }
}

fn outcome(result: &MeasureResult) -> Outcome {
    result
        .mean_cost()
        .map_or(Outcome::Failed(result.error_no), Outcome::Cost)
}
