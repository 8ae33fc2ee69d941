//! What a run tells while it goes on.

use crate::measure::Measurement;
use crate::task::ConfigEntity;

use super::task_run::TaskRun;

/// One finished candidate and where the run stands.
#[derive(Debug)]
pub struct Progress<'a> {
    /// The task's position in the list.
    pub position: usize,
    /// The task and what is known of it, this candidate included.
    pub task: &'a TaskRun,
    /// The candidate's configuration.
    pub config: &'a ConfigEntity,
    /// What came of it.
    pub measurement: &'a Measurement,
    /// Trials done in all, those of an earlier run of the same log included.
    pub done: usize,
    /// Trials planned in all.
    pub planned: usize,
    /// Seconds of all tuned operators of the network with the best found so far, each as often as it occurs and by its
    /// fastest template; `None` while one has no valid configuration.
    pub network: Option<f64>,
}

/// Somebody who watches a run.
pub trait TuneObserver {
    /// So many candidates of a task are on their way.
    fn asked(&mut self, position: usize, task: &TaskRun, candidates: usize) {
        let _ = (position, task, candidates);
    }

    /// A candidate is measured; its turn in the log may come later.
    fn measured(&mut self, position: usize) {
        let _ = position;
    }

    /// A candidate is in the log.
    fn finished(&mut self, progress: &Progress<'_>);

    /// The first candidates of a task have all failed.
    fn all_failed(&mut self, position: usize, task: &TaskRun);

    /// No more configurations of this task are measured.
    fn stopped(&mut self, position: usize, task: &TaskRun) {
        let _ = (position, task);
    }

    /// The run is over.
    fn ended(&mut self) {}
}
