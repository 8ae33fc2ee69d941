//! The tuning loop.

use std::sync::Arc;

use crate::measure::{Candidate, Measurement, PeerError, Pool};
use crate::record::{LogError, LogWriter, Record};
use crate::seed::Seed;
use crate::strategy::{StrategyError, StrategyKind};
use crate::task::{SpaceError, Task};

use super::observer::{Progress, TuneObserver};
use super::quota::Quotas;
use super::stop::{CancelToken, StopReason};
use super::task_run::TaskRun;

/// How a run searches.
#[derive(Clone, Debug)]
pub struct TuneOptions {
    /// Who chooses.
    pub strategy: StrategyKind,
    /// Seed of all draws.
    pub seed: Seed,
    /// Trials, those of earlier runs of the same log included.
    pub quotas: Quotas,
    /// A task ends after so many trials without anything better.
    pub early_stopping: Option<usize>,
}

/// Why a run broke off. What was measured is in the log.
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
    /// Builders or device are lost.
    #[error(transparent)]
    Measure(#[from] PeerError),
    /// The log cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// What a run found.
#[derive(Debug)]
pub struct TuneSummary {
    /// Every task, in the order given.
    pub tasks: Vec<TaskRun>,
}

/// Whoever measures a batch: builders and a device, or a stand-in.
pub trait Measurer {
    /// Measures a batch, in order; `each` sees every measurement as it is made.
    ///
    /// # Errors
    /// When nothing can be measured any more. A candidate that fails is a measurement.
    fn measure(
        &mut self,
        candidates: &[Candidate],
        each: &mut dyn FnMut(usize, &Measurement),
    ) -> impl Future<Output = Result<(), PeerError>>;
}

impl Measurer for Pool {
    async fn measure(
        &mut self,
        candidates: &[Candidate],
        each: &mut dyn FnMut(usize, &Measurement),
    ) -> Result<(), PeerError> {
        Self::measure(self, candidates, each).await.map(drop)
    }
}

/// Measures configurations of every task until the trials are spent.
///
/// Tasks take turns, a batch each, so that a run that is stopped early leaves every task partly tuned. `earlier` are
/// records of the same log; their configurations count as trials and are not measured again.
///
/// # Errors
/// When a strategy, the measurement or the log fails for good.
pub async fn tune(
    tasks: &[Arc<Task>],
    options: &TuneOptions,
    earlier: &[Record],
    measurer: &mut impl Measurer,
    log: &mut LogWriter,
    observer: &mut impl TuneObserver,
    cancel: &CancelToken,
) -> Result<TuneSummary, TuneError> {
    let mut runs = start_tasks(tasks, options, earlier)?;
    let mut quotas = options.quotas.clone();
    while let Some(position) = next_task(&mut runs, &quotas, options, cancel, observer) {
        let run = &mut runs[position];
        let left = quotas.of(position) - run.trials();
        let n = run.strategy.batch().min(left);
        let proposals = run
            .strategy
            .ask(n)
            .map_err(|source| strategy_error(run.task(), source))?;
        if proposals.is_empty() {
            stop(run, position, StopReason::SpaceExhausted, observer);
            let used = run.trials();
            let heirs: Vec<usize> = (0..runs.len())
                .filter(|&r| runs[r].stop.is_none())
                .collect();
            quotas.hand_over(position, used, &heirs);
            continue;
        }
        let configs = proposals
            .iter()
            .map(|proposal| run.task().space.get(proposal.index))
            .collect::<Result<Vec<_>, SpaceError>>()
            .map_err(|error| strategy_error(run.task(), error.into()))?;
        let candidates: Vec<Candidate> = configs
            .iter()
            .map(|config| Candidate {
                task: Arc::clone(run.task()),
                config: Some(config.clone()),
            })
            .collect();
        observer.building(position, run, candidates.len());
        let done_elsewhere: usize =
            runs.iter().map(TaskRun::trials).sum::<usize>() - runs[position].trials();
        let run = &mut runs[position];
        let mut observations = Vec::with_capacity(configs.len());
        let mut written = Ok(());
        let mut take_in = |c: usize, measurement: &Measurement| {
            if written.is_ok() {
                written = log.append(&Record {
                    workload: run.task().workload.clone(),
                    config: configs[c].clone(),
                    result: measurement.to_result(),
                });
            }
            observations.push(run.take_in(&configs[c], measurement));
            observer.finished(&Progress {
                position,
                task: run,
                config: &configs[c],
                measurement,
                done: done_elsewhere + run.trials(),
                planned: quotas.total(),
            });
        };
        let measured = measurer.measure(&candidates, &mut take_in).await;
        written?;
        log.sync()?;
        measured?;
        run.strategy
            .tell(&observations)
            .map_err(|source| strategy_error(run.task(), source))?;
        if run.best_cost().is_none() && run.resumed() == 0 && run.trials() == observations.len() {
            observer.all_failed(position, run);
        }
    }
    Ok(TuneSummary { tasks: runs })
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
            // The space is cheap to share and the strategy keeps it for the whole run.
            let strategy = options.strategy.build(Arc::new(task.space.clone()), seed);
            let mut run = TaskRun::new(Arc::clone(task), strategy);
            run.resume(earlier.iter())
                .map_err(|source| strategy_error(task, source))?;
            Ok(run)
        })
        .collect()
}

/// The unfinished task with the fewest trials; tasks that turn out to be finished are stopped on the way.
fn next_task(
    runs: &mut [TaskRun],
    quotas: &Quotas,
    options: &TuneOptions,
    cancel: &CancelToken,
    observer: &mut impl TuneObserver,
) -> Option<usize> {
    for (position, run) in runs.iter_mut().enumerate() {
        let stuck = |limit| run.trials_since_best() >= limit && run.trials() > run.resumed();
        let reason = if run.stop.is_some() {
            None
        } else if cancel.is_cancelled() {
            Some(StopReason::Interrupted)
        } else if run.trials() >= quotas.of(position) {
            Some(StopReason::Trials)
        } else if options.early_stopping.is_some_and(stuck) {
            Some(StopReason::EarlyStopping)
        } else {
            None
        };
        if let Some(reason) = reason {
            stop(run, position, reason, observer);
        }
    }
    (0..runs.len())
        .filter(|&r| runs[r].stop.is_none())
        .min_by_key(|&r| (runs[r].trials(), r))
}

fn stop(run: &mut TaskRun, position: usize, reason: StopReason, observer: &mut impl TuneObserver) {
    run.stop = Some(reason);
    observer.stopped(position, run);
}

fn strategy_error(task: &Task, source: StrategyError) -> TuneError {
    TuneError::Strategy {
        task: task.workload.name.clone(),
        source,
    }
}
