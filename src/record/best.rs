//! The best record of each workload, as AutoTVM picks it.

use std::collections::BTreeMap;

use super::measurement::Record;
use super::target::TargetName;

/// Positions of the records that `autotvm.apply_history_best` would use, in ascending order.
///
/// For each task (name and arguments) and each key of its target, and for each model that a target names, the
/// record without error and with the lowest mean cost; of equal ones the first (TVM 0.19, `ApplyHistoryBest.load`).
/// `autotvm.record.pick_best` writes the same lines but for one flaw: of a configuration that was measured twice it
/// writes the first record, even if that one is the slower or failed.
pub fn best_records<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<usize> {
    let mut targets: BTreeMap<&str, TargetName> = BTreeMap::new();
    let mut best: BTreeMap<(Place, String), (usize, f64)> = BTreeMap::new();
    for (position, record) in records.into_iter().enumerate() {
        let Some(cost) = ranking_cost(record) else {
            continue;
        };
        let workload = &record.workload;
        let target = targets
            .entry(&workload.target)
            .or_insert_with(|| TargetName::parse(&workload.target));
        let task = workload.task_key();
        let keys = target.keys.iter().cloned().map(Place::Key);
        let model = target.model.iter().cloned().map(Place::Model);
        for place in keys.chain(model) {
            let entry = best
                .entry((place, task.clone()))
                .or_insert((position, cost));
            // As in Python: a NaN is neither beaten nor beats.
            if entry.1 > cost {
                *entry = (position, cost);
            }
        }
    }
    let mut winners: Vec<usize> = best.into_values().map(|(position, _)| position).collect();
    winners.sort_unstable();
    winners.dedup();
    winners
}

/// Where TVM looks a record up.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A key of the target.
    Key(String),
    /// The target's model.
    Model(String),
}

/// What AutoTVM compares; `None` for a failure, which it passes over.
fn ranking_cost(record: &Record) -> Option<f64> {
    let result = &record.result;
    (result.error_no == super::ErrorNo::NoError).then(|| result.mean_cost().unwrap_or(f64::NAN))
}
