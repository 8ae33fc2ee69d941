//! Which task gets the next batch.

use super::quota::Quotas;
use super::task_run::TaskRun;

/// How trials are spread over tasks.
#[derive(Clone, Debug)]
pub enum Spread {
    /// Each task has its own number of trials; tasks take turns, the one with the fewest first.
    Even(Quotas),
    /// So many trials in all, spent where the network's time still falls.
    WhereItFalls {
        /// Trials in all.
        total: usize,
    },
}

/// Trials in which a task's recent gain is looked for.
const RECENT: usize = 32;
/// Weight of the recent gain against the optimistic one, as Ansor's task scheduler weighs them
/// (arXiv 2006.06762, section 6: alpha = 0.2 for the backward difference).
const ALPHA: f64 = 0.2;

impl Spread {
    /// Trials in all.
    pub fn total(&self) -> usize {
        match self {
            Self::Even(quotas) => quotas.total(),
            Self::WhereItFalls { total } => *total,
        }
    }

    /// Trials that a task may still be given, `asked` being those done and in flight.
    pub(super) fn left(&self, position: usize, asked: &[usize]) -> usize {
        match self {
            Self::Even(quotas) => quotas.of(position).saturating_sub(asked[position]),
            Self::WhereItFalls { total } => total.saturating_sub(asked.iter().sum()),
        }
    }

    /// The task of `open` ones to be asked next; `asked` counts trials done and in flight of every task.
    pub(super) fn choose(
        &self,
        runs: &[TaskRun],
        open: &[usize],
        asked: &[usize],
    ) -> Option<usize> {
        let fewest = |&&r: &&usize| (asked[r], r);
        match self {
            Self::Even(_) => open.iter().min_by_key(fewest).copied(),
            Self::WhereItFalls { .. } => {
                // A task of which nothing was asked yet comes first: nothing can be said of it.
                if let Some(&fresh) = open.iter().filter(|&&r| asked[r] == 0).min_by_key(fewest) {
                    return Some(fresh);
                }
                let gain = |r: usize| expected_gain(runs, r, asked[r]);
                open.iter()
                    .copied()
                    .max_by(|&a, &b| gain(a).total_cmp(&gain(b)).then(b.cmp(&a)))
            }
        }
    }

    /// What a finished task cannot use any more goes to the others.
    pub(super) fn release(&mut self, position: usize, used: usize, heirs: &[usize]) {
        if let Self::Even(quotas) = self {
            quotas.hand_over(position, used, heirs);
        }
    }
}

/// Seconds of network time that one more trial of a task can be expected to save.
///
/// After Ansor's gradient (arXiv 2006.06762, section 6): a mixture of what recent trials saved and the optimistic
/// guess that `t` more trials save as much again as is left after `t`. A template that is slower than its rival for
/// the same operator must first close the gap, so its gain is scaled down.
fn expected_gain(runs: &[TaskRun], r: usize, asked: usize) -> f64 {
    let run = &runs[r];
    let weight = f64::from(run.task().weight);
    let Some(best) = run.best_cost() else {
        // Nothing valid yet: worth a look now and then, less with every failure.
        let others = runs
            .iter()
            .filter_map(|run| Some(run.best_cost()? * f64::from(run.task().weight)));
        return others.fold(0.0, f64::max) / (asked.max(1) as f64);
    };
    let rival = runs
        .iter()
        .filter(|other| other.task().group == run.task().group)
        .filter_map(TaskRun::best_cost)
        .fold(best, f64::min);
    let recent = run.gain_of_last(RECENT) / RECENT as f64;
    let optimistic = best / asked.max(1) as f64;
    weight * (ALPHA * recent + (1.0 - ALPHA) * optimistic) * (rival / best).powi(2)
}
