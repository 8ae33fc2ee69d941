//! What goes into the pipeline, and what comes out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::record::{ErrorNo, MeasureResult};
use crate::task::{ConfigEntity, Task};

use super::failure::Failure;

/// A configuration of a task to be measured; without one, the schedule that TVM falls back to.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The task.
    pub task: Arc<Task>,
    /// The configuration.
    pub config: Option<ConfigEntity>,
}

/// What came of a candidate.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Seconds of one run, one per repeat, or why there are none.
    pub outcome: Result<Vec<f64>, Failure>,
    /// The configuration that TVM's fallback chose, where the candidate had none (AutoTVM's `entity` list).
    pub fallback: Option<Value>,
    /// Time spent on building it.
    pub build: Duration,
    /// Seconds of the build by stage (instantiate, lower, codegen, export).
    pub stages: BTreeMap<String, f64>,
    /// Time spent on running it, the cooldown included.
    pub run: Duration,
    /// When it was finished.
    pub at: SystemTime,
}

impl Measurement {
    /// The measurement as AutoTVM's log keeps it.
    pub fn to_result(&self) -> MeasureResult {
        let (costs, error_no) = match &self.outcome {
            Ok(costs) => (costs.clone(), ErrorNo::NoError),
            Err(failure) => (vec![1e9], failure.error_no),
        };
        let timestamp = self.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        MeasureResult {
            costs,
            error_no,
            all_cost: (self.build + self.run).as_secs_f64(),
            timestamp: timestamp.as_secs_f64(),
        }
    }
}
