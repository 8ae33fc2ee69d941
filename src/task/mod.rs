//! What is tuned: a task (one operator at one shape on one target) and the space of its configurations.
//!
//! Templates stay in Python. What is here is all that a search needs of them: AutoTVM's numbering of
//! configurations, the values of the knobs, and the task's name in the log.

mod condition;
mod config;
mod context;
mod description;
mod gpu;
mod index;
mod knob;
mod label;
mod layout;
mod link;
mod packed;
mod space;

pub use condition::{Condition, ConditionError, Value as ConditionValue};
pub use config::{ConfigEntity, ConfigError};
pub use context::{TargetKind, TaskContext};
pub use description::{DescriptionError, TaskDescription};
pub use gpu::GpuLimits;
pub(crate) use gpu::GpuMask;
pub use index::{ConfigIndex, KnobId, TaskId};
pub use knob::{Entity, EntityError, Knob, KnobError, KnobKind};
pub use layout::ChannelBlocks;
pub use link::Link;
pub(crate) use packed::{
    CONV_KNOBS, LONGEST, PackedMask, is_known_conv, packed_conv_of, workload_of,
};
pub use space::{ConfigSpace, Digits, SpaceError, ValidityFilter};

use serde_json::Value;

/// What identifies a task in a log: target, template and arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The target as TVM normalises it (`str(Target(..))`).
    pub target: String,
    /// Name of the template, such as `conv2d_NCHWc.x86`.
    pub name: String,
    /// The template's arguments in AutoTVM's JSON form.
    pub args: Value,
}

/// One tunable operator of a model.
#[derive(Clone, Debug)]
pub struct Task {
    /// What names it in the log.
    pub workload: Workload,
    /// Target of the code around the kernel, where the frontend named one.
    pub host: Option<String>,
    /// Floating-point operations of one run, where TVM can count them.
    pub flop: Option<f64>,
    /// How often the operator occurs in the model.
    pub weight: u32,
    /// Tasks of one group are alternative templates for the same operator.
    pub group: usize,
    /// Its configurations.
    pub space: ConfigSpace,
}

impl Task {
    /// The task with what a GPU does not allow masked, where the rules of its template are known.
    #[must_use]
    pub fn within(&self, limits: GpuLimits) -> Self {
        let mut task = self.clone();
        // A template's own condition on combinations stays: no template has one and rules here.
        if !task.space.is_filtered()
            && let Some(mask) = GpuMask::new(&task.workload, task.space.knobs(), limits)
        {
            task.space = task.space.with_filter(std::sync::Arc::new(mask));
        }
        task
    }
}
