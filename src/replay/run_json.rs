//! Runs as JSON, one object a line.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::recorded::RecordedSpace;
use crate::record::read_bytes;
use crate::task::ConfigIndex;

use super::run::History;

/// Which run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunKey {
    /// The space's name.
    pub space: String,
    /// The strategy's name.
    pub strategy: String,
    /// The seed.
    pub seed: u64,
    /// Evaluations that the run was allowed.
    pub budget: usize,
    /// Evaluations of each of the other spaces before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others: usize,
    /// Evaluations that were in flight when it was asked for more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lookahead: usize,
}

/// A run as a line of the file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Which run.
    #[serde(flatten)]
    pub key: RunKey,
    /// Whether masks kept invalid configurations from the strategy.
    pub masks: bool,
    /// Configurations in the order of evaluation.
    pub indices: Vec<ConfigIndex>,
    /// Their costs in seconds; null for a failure.
    pub costs: Vec<Option<f64>>,
    /// Recorded seconds of all evaluations; null where the record has none.
    pub measuring_s: Option<f64>,
    /// CPU seconds of the search.
    pub search_cpu_s: f64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl HistoryLine {
    /// A run of a strategy on a space.
    pub fn new(key: RunKey, masks: bool, history: &History) -> Self {
        Self {
            key,
            masks,
            indices: history
                .evaluations
                .iter()
                .map(|(index, _)| *index)
                .collect(),
            costs: history.costs().collect(),
            measuring_s: history.measuring_seconds(),
            search_cpu_s: history.search_cpu.as_secs_f64(),
        }
    }

    /// The run, looked up again in its space; `None` when the space has other costs than the line.
    pub fn history(&self, recorded: &RecordedSpace) -> Option<History> {
        let evaluations: Vec<_> = self
            .indices
            .iter()
            .map(|&index| (index, recorded.evaluate(index)))
            .collect();
        let history = History {
            evaluations,
            search_cpu: Duration::try_from_secs_f64(self.search_cpu_s).unwrap_or_default(),
        };
        history
            .costs()
            .eq(self.costs.iter().copied())
            .then_some(history)
    }
}

/// The runs in a file, with masks or without; lines that are none (the last of a killed run) are passed over.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read_histories(path: &Path, masks: bool) -> std::io::Result<BTreeMap<RunKey, HistoryLine>> {
    let bytes = match read_bytes(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    Ok(bytes
        .split(|&b| b == b'\n')
        .filter_map(|line| serde_json::from_slice::<HistoryLine>(line).ok())
        .filter(|line| line.masks == masks)
        .map(|line| (line.key.clone(), line))
        .collect())
}
