//! The tuning loop: ask, measure, deliver in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::measure::{Candidate, Measurement, PeerError, Pipeline, TrialId};
use crate::record::{AppendError, Record};
use crate::seed::Seed;
use crate::strategy::{StrategyError, StrategyKind, Why};
use crate::task::{ConfigEntity, ConfigIndex, Task, TaskContext};
use crate::transfer::Knowledge;

use super::delivery::Delivery;
use super::journal::{Event, SCHEMA, now};
use super::observer::{Progress, TuneObserver};
use super::output::Output;
use super::scheduler::Spread;
use super::stop::{CancelToken, StopReason};
use super::task_run::TaskRun;

/// A task of which so many candidates have failed, and all of them, is worth a warning.
const FIRST: usize = 16;

/// Trials in flight when a strategy is asked for more, where nothing is said: one batch is measured while the next is chosen
/// and built, and what a strategy chooses is not much older than what it knows.
pub const DEFAULT_LOOKAHEAD: usize = 8;

/// How a run searches.
#[derive(Clone, Debug)]
pub struct TuneOptions {
    /// Who chooses.
    pub strategy: StrategyKind,
    /// Seed of all draws.
    pub seed: Seed,
    /// How trials are spread over tasks, those of earlier runs of the same log included.
    pub spread: Spread,
    /// A task ends after so many trials without anything better.
    pub early_stopping: Option<usize>,
    /// The run ends after so much time; a run with such a limit does not repeat.
    pub time: Option<Duration>,
    /// A strategy is asked for more while at most so many trials are in flight.
    pub lookahead: usize,
    /// What is known of other tasks already; tasks of this run add to it.
    pub knowledge: Knowledge,
    /// Configurations that are measured before a strategy is asked for any, each with the position of its task.
    pub first: Vec<(usize, ConfigEntity)>,
}

impl TuneOptions {
    /// The journal's line that a run with these options begins: of a model and a target, as both are named there, and how
    /// builders and devices share cores.
    pub fn event(&self, model: String, target: String, sharing: String) -> Event {
        Event::Run {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model,
            target,
            strategy: self.strategy.to_string(),
            seed: self.seed.0,
            trials: self.spread.total(),
            sharing,
            at: now(),
        }
    }
}

/// Why a run broke off. What was delivered is in the log.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// A strategy cannot go on.
    #[error("task {task}: {source}")]
    Strategy {
        /// The template's name.
        task: String,
        /// What is wrong.
        source: StrategyError,
    },
    /// Builders or devices are lost.
    #[error(transparent)]
    Measure(#[from] PeerError),
    /// The log cannot be written.
    #[error(transparent)]
    Log(#[from] AppendError),
}

/// What a run found.
#[derive(Debug)]
pub struct TuneSummary {
    /// Every task, in the order given.
    pub tasks: Vec<TaskRun>,
}

/// Whoever measures: builders and devices, or a stand-in.
pub trait Measurer {
    /// Takes a candidate in.
    fn submit(&mut self, id: TrialId, candidate: Candidate);

    /// The next finished one, whichever it is; `None` when none is left.
    ///
    /// # Errors
    /// When nothing can be measured any more. A candidate that fails is a measurement.
    fn next(&mut self) -> impl Future<Output = Result<Option<(TrialId, Measurement)>, PeerError>>;
}

impl Measurer for Pipeline {
    fn submit(&mut self, id: TrialId, candidate: Candidate) {
        Self::submit(self, id, candidate);
    }

    async fn next(&mut self) -> Result<Option<(TrialId, Measurement)>, PeerError> {
        Self::next(self).await
    }
}

/// A trial on its way: which task's, and what was asked for.
#[derive(Debug)]
struct Trial {
    position: usize,
    what: Asked,
}

#[derive(Debug)]
enum Asked {
    /// The schedule that TVM falls back to: the time to beat.
    Fallback,
    /// A configuration that the strategy chose.
    Config(ConfigEntity, Why),
}

/// A run in progress.
struct Run<'a, M> {
    runs: Vec<TaskRun>,
    options: &'a TuneOptions,
    spread: Spread,
    delivery: Delivery<Trial>,
    measurer: &'a mut M,
    output: &'a mut Output,
    observer: &'a mut dyn TuneObserver,
    cancel: &'a CancelToken,
    started: Instant,
}

/// Measures configurations of every task until the trials are spent.
///
/// TVM's fallback schedule of each task is measured first; where the space has its configuration it counts as a trial
/// and goes into the log, so that tuning never ends with less than TVM would do untuned. `earlier` are records of the
/// same log; their configurations count as trials and are not measured again.
///
/// What is asked depends on nothing but results that were delivered, in the order they were asked for: with a
/// deterministic device the same seed gives the same log, whatever the timing.
///
/// # Errors
/// When a strategy, the measurement or the log fails for good.
pub async fn tune<M: Measurer>(
    tasks: &[Arc<Task>],
    options: &TuneOptions,
    earlier: &[Record],
    measurer: &mut M,
    output: &mut Output,
    observer: &mut dyn TuneObserver,
    cancel: &CancelToken,
) -> Result<TuneSummary, TuneError> {
    let mut run = Run {
        runs: start_tasks(tasks, options, earlier)?,
        options,
        spread: options.spread.clone(),
        delivery: Delivery::new(),
        measurer,
        output,
        observer,
        cancel,
        started: Instant::now(),
    };
    run.ask_for_fallbacks();
    run.ask_for_first(earlier);
    run.ask()?;
    while let Some((id, measurement)) = run.measurer.next().await? {
        run.journal(id, &measurement)?;
        let trial = run.delivery.finish(id, measurement);
        run.observer.measured(trial.position);
        while let Some((_, trial, measurement)) = run.delivery.deliver() {
            run.take_in(trial, &measurement)?;
            run.ask()?;
        }
    }
    run.output.sync()?;
    run.observer.ended();
    Ok(TuneSummary { tasks: run.runs })
}

fn start_tasks(
    tasks: &[Arc<Task>],
    options: &TuneOptions,
    earlier: &[Record],
) -> Result<Vec<TaskRun>, TuneError> {
    tasks
        .iter()
        .enumerate()
        .map(|(position, task)| {
            let seed = options.seed.child(&format!("task {position}"));
            let strategy = options.strategy.build(
                Arc::new(task.space.clone()),
                &TaskContext::of(&task.workload),
                seed,
                &options.knowledge,
            );
            let mut run = TaskRun::new(Arc::clone(task), strategy);
            run.resume(earlier.iter())
                .map_err(|source| strategy_error(task, source))?;
            Ok(run)
        })
        .collect()
}

impl<M: Measurer> Run<'_, M> {
    /// Trials done and in flight of every task.
    fn asked(&self) -> Vec<usize> {
        let mut asked: Vec<usize> = self.runs.iter().map(TaskRun::trials).collect();
        for trial in self.delivery.asked() {
            asked[trial.position] += 1;
        }
        asked
    }

    fn submit(&mut self, position: usize, what: Asked) {
        let config = match &what {
            Asked::Fallback => None,
            Asked::Config(config, _) => Some(config.clone()),
        };
        let task = Arc::clone(self.runs[position].task());
        self.observer.asked(position, &self.runs[position], 1);
        let id = self.delivery.ask(Trial { position, what });
        self.measurer.submit(id, Candidate { task, config });
    }

    /// Every task that is new and has a trial to spend is measured as TVM would do it untuned.
    fn ask_for_fallbacks(&mut self) {
        let asked = self.asked();
        for (position, &trials) in asked.iter().enumerate() {
            if trials == 0 && self.spread.left(position, &asked) > 0 {
                self.submit(position, Asked::Fallback);
            }
        }
    }

    /// What a run is to begin with, unless an earlier run measured it.
    fn ask_for_first(&mut self, earlier: &[Record]) {
        for (position, config) in &self.options.first {
            let workload = &self.runs[*position].task().workload;
            let same = |known: &&Record| {
                known.config.entities == config.entities && known.workload == *workload
            };
            let left = self.spread.left(*position, &self.asked());
            if left > 0 && !earlier.iter().any(|known| same(&known)) {
                self.submit(*position, Asked::Config(config.clone(), Why::Given));
            }
        }
    }

    /// Whether a configuration of a task was asked for and is in flight.
    fn is_on_its_way(&self, position: usize, index: ConfigIndex) -> bool {
        self.delivery.asked().any(|trial| {
            let asked = matches!(&trial.what, Asked::Config(config, _) if config.index == index);
            asked && trial.position == position
        })
    }

    /// Asks strategies for more while few enough trials are in flight.
    fn ask(&mut self) -> Result<(), TuneError> {
        while self.delivery.outstanding() <= self.options.lookahead {
            let asked = self.asked();
            let open = self.open_tasks(&asked)?;
            let Some(position) = self.spread.choose(&self.runs, &open, &asked) else {
                return Ok(());
            };
            let run = &mut self.runs[position];
            let n = run.strategy.batch().min(self.spread.left(position, &asked));
            let proposals = run
                .strategy
                .ask(n)
                .map_err(|source| strategy_error(run.task(), source))?;
            if proposals.is_empty() {
                self.stop(position, StopReason::SpaceExhausted)?;
                let heirs = self.heirs(&asked);
                self.spread.release(position, asked[position], &heirs);
                continue;
            }
            for proposal in proposals {
                // What was given is not the strategy's, and it has not been told of it.
                if self.is_on_its_way(position, proposal.index) {
                    continue;
                }
                let run = &self.runs[position];
                let config = run
                    .task()
                    .space
                    .get(proposal.index)
                    .map_err(|error| strategy_error(run.task(), error.into()))?;
                self.submit(position, Asked::Config(config, proposal.why));
            }
        }
        Ok(())
    }

    /// Tasks that may be asked for more; those that turn out to be finished are stopped on the way.
    fn open_tasks(&mut self, asked: &[usize]) -> Result<Vec<usize>, TuneError> {
        let mut open = Vec::new();
        for (position, run) in self.runs.iter().enumerate() {
            if run.stop.is_none() && self.stop_reason(position, asked).is_none() {
                open.push(position);
            }
        }
        for position in 0..self.runs.len() {
            // Said when nothing of it is in flight any more, so that the last word is the final one.
            let idle = asked[position] == self.runs[position].trials();
            if let (true, None, Some(reason)) = (
                idle,
                self.runs[position].stop,
                self.stop_reason(position, asked),
            ) {
                self.stop(position, reason)?;
            }
        }
        Ok(open)
    }

    /// Tasks that could use more trials than they have, those included that have asked for all of theirs.
    fn heirs(&self, asked: &[usize]) -> Vec<usize> {
        let could = |&heir: &usize| {
            let reason = self.stop_reason(heir, asked);
            self.runs[heir].stop.is_none() && matches!(reason, None | Some(StopReason::Trials))
        };
        (0..self.runs.len()).filter(could).collect()
    }

    fn stop_reason(&self, position: usize, asked: &[usize]) -> Option<StopReason> {
        let run = &self.runs[position];
        let stuck = |limit| run.trials_since_best() >= limit && run.trials() > run.resumed();
        if self.cancel.is_cancelled() {
            Some(StopReason::Interrupted)
        } else if self
            .options
            .time
            .is_some_and(|time| self.started.elapsed() >= time)
        {
            Some(StopReason::Time)
        } else if self.spread.left(position, asked) == 0 {
            Some(StopReason::Trials)
        } else if self.options.early_stopping.is_some_and(stuck) {
            Some(StopReason::EarlyStopping)
        } else {
            None
        }
    }

    fn stop(&mut self, position: usize, reason: StopReason) -> Result<(), TuneError> {
        let run = &mut self.runs[position];
        run.stop = Some(reason);
        self.output.event(&Event::Stop {
            task: position,
            reason,
            trials: run.trials(),
            best: run.best_cost(),
        })?;
        self.observer.stopped(position, run);
        Ok(())
    }

    /// Writes down a trial as soon as it is measured, before its turn comes.
    fn journal(&mut self, id: TrialId, measurement: &Measurement) -> Result<(), TuneError> {
        let trial = self.delivery.asked_as(id);
        let event = match &trial.what {
            Asked::Fallback => Event::untuned(trial.position, measurement),
            Asked::Config(config, why) => {
                let record = self.runs[trial.position].record(config, measurement);
                Event::trial(trial.position, why.name(), &record, measurement)
            }
        };
        Ok(self.output.event(&event)?)
    }

    /// A trial's turn has come: it goes to the strategy and into the log.
    fn take_in(&mut self, trial: Trial, measurement: &Measurement) -> Result<(), TuneError> {
        let run = &mut self.runs[trial.position];
        let config = match trial.what {
            Asked::Config(config, _) => config,
            Asked::Fallback => match run.take_in_fallback(measurement) {
                // Somebody asked for it before it was known what it is: that is the trial.
                Some(config) if self.is_on_its_way(trial.position, config.index) => {
                    return Ok(());
                }
                Some(config) => config,
                // The fallback is no configuration of the space: a time to compare with, and no trial.
                None => return Ok(()),
            },
        };
        let run = &mut self.runs[trial.position];
        run.take_in(&config, measurement)
            .map_err(|source| strategy_error(run.task(), source))?;
        self.output.record(&run.record(&config, measurement))?;
        let all_failed = run.best_cost().is_none() && run.trials() == FIRST;
        if all_failed && run.resumed() == 0 {
            self.observer
                .all_failed(trial.position, &self.runs[trial.position]);
        }
        let done = self.runs.iter().map(TaskRun::trials).sum();
        self.observer.finished(&Progress {
            position: trial.position,
            task: &self.runs[trial.position],
            config: &config,
            measurement,
            done,
            planned: self.spread.total(),
            network: network_time(&self.runs),
        });
        Ok(())
    }
}

/// Seconds of every operator, as often as it occurs and by its fastest template.
fn network_time(runs: &[TaskRun]) -> Option<f64> {
    let mut groups: BTreeMap<usize, (f64, Option<f64>)> = BTreeMap::new();
    for run in runs {
        let weight = f64::from(run.task().weight);
        let (_, best) = groups.entry(run.task().group).or_insert((weight, None));
        *best = match (*best, run.best_cost()) {
            (Some(a), Some(b)) => Some(f64::min(a, b)),
            (a, b) => a.or(b),
        };
    }
    groups
        .values()
        .map(|(weight, best)| Some(weight * (*best)?))
        .sum()
}

fn strategy_error(task: &Task, source: StrategyError) -> TuneError {
    TuneError::Strategy {
        task: task.workload.name.clone(),
        source,
    }
}
