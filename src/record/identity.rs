//! When two records are about the same thing.

use serde_json::json;

use crate::task::{ConfigEntity, Workload};

use super::measurement::Record;
use super::python_json::dumps;

impl Workload {
    /// The task without its target: equal for equal template and arguments.
    pub fn task_key(&self) -> String {
        dumps(&json!([self.name, self.args]))
    }

    /// Equal for equal workloads.
    pub fn key(&self) -> String {
        dumps(&json!([self.target, self.name, self.args]))
    }
}

impl ConfigEntity {
    /// Equal for equal values of the knobs. TVM applies these; the index is only a number for them.
    pub fn entities_key(&self) -> String {
        dumps(&self.to_json()["entity"])
    }
}

impl Record {
    /// Equal for records of the same configuration of the same workload.
    pub fn key(&self) -> String {
        self.workload.key() + &self.config.entities_key()
    }

    /// Whether AutoTVM would rather use this record than the other one of the same workload.
    ///
    /// Any time beats a failure; a time that is none (NaN) loses against one.
    pub fn beats(&self, other: &Self) -> bool {
        let cost = |record: &Self| record.result.mean_cost().filter(|cost| !cost.is_nan());
        match (cost(self), cost(other)) {
            (Some(ours), Some(theirs)) => ours < theirs,
            (ours, _) => ours.is_some(),
        }
    }
}
