//! The frontend's JSON description of a task, read into a [`Task`].

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{ConfigSpace, Entity, Knob, KnobKind, PackedMask, Task, ValidityFilter, Workload};

/// A task as the Python frontend describes it: everything that another language needs to search.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskDescription {
    /// Name of the template.
    pub name: String,
    /// Arguments in AutoTVM's JSON form.
    pub args: Value,
    /// The target as TVM normalises it.
    pub target: String,
    /// Target of the code around the kernel.
    #[serde(default)]
    pub host: Option<String>,
    /// Floating-point operations of one run.
    #[serde(default)]
    pub flop: Option<f64>,
    /// Occurrences in the model.
    #[serde(default = "one")]
    pub weight: u32,
    /// Tasks with the same number are alternative templates for one operator.
    #[serde(default)]
    pub group: usize,
    /// AutoTVM's own count of the configurations, valid or not.
    pub range_length: u64,
    /// The knobs in definition order.
    pub knobs: Vec<KnobDescription>,
    /// Whether the template has a condition on combinations (`multi_filter`).
    #[serde(default)]
    pub filtered: bool,
}

const fn one() -> u32 {
    1
}

/// A knob as the frontend describes it.
#[derive(Clone, Debug, Deserialize)]
pub struct KnobDescription {
    /// The template's name for it.
    pub name: String,
    /// AutoTVM's tag.
    pub kind: KnobKind,
    /// Its values as AutoTVM's log would store them.
    pub entities: Vec<Value>,
}

/// Why a description makes no task.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// A value does not fit its knob.
    #[error("task `{task}`, knob `{knob}`: {source}")]
    Entity {
        /// The template's name.
        task: String,
        /// The knob's name.
        knob: String,
        /// What is wrong with the value.
        source: super::EntityError,
    },
    /// A knob is malformed.
    #[error("task `{task}`: {source}")]
    Knob {
        /// The template's name.
        task: String,
        /// What is wrong with the knob.
        source: super::KnobError,
    },
    /// The space is malformed.
    #[error("task `{task}`: {source}")]
    Space {
        /// The template's name.
        task: String,
        /// What is wrong with the space.
        source: super::SpaceError,
    },
    /// AutoTVM counts another number of configurations than the product of the knobs.
    #[error("task `{task}`: AutoTVM counts {autotvm} configurations, its knobs make {ours}")]
    Length {
        /// The template's name.
        task: String,
        /// AutoTVM's count.
        autotvm: u64,
        /// The product of the knob sizes.
        ours: u64,
    },
    /// A condition on combinations exists, and nobody was given who could be asked about it.
    #[error("task `{task}` has a condition on combinations, and no way to ask it was given")]
    NoFilter {
        /// The template's name.
        task: String,
    },
}

impl TaskDescription {
    /// The task; `filter` answers for the template's condition on combinations where it has one.
    ///
    /// # Errors
    /// When a value does not fit its knob, the sizes disagree with AutoTVM's, or a filter is missing.
    pub fn into_task(
        self,
        filter: Option<Arc<dyn ValidityFilter>>,
    ) -> Result<Task, DescriptionError> {
        let task = self.name.clone();
        let knobs = self
            .knobs
            .into_iter()
            .map(|knob| knob.into_knob(&task))
            .collect::<Result<_, _>>()?;
        let mut space = ConfigSpace::new(knobs).map_err(|source| DescriptionError::Space {
            task: task.clone(),
            source,
        })?;
        if space.range_length() != self.range_length {
            return Err(DescriptionError::Length {
                task,
                autotvm: self.range_length,
                ours: space.range_length(),
            });
        }
        let workload = Workload {
            target: self.target,
            name: self.name,
            args: self.args,
        };
        if self.filtered {
            space = space.with_filter(filter.ok_or(DescriptionError::NoFilter { task })?);
        } else if let Some(mask) = PackedMask::of_workload(&workload, space.knobs()) {
            // What can be computed of validity is the space's, so that every strategy has it.
            space = space.with_filter(Arc::new(mask));
        }
        Ok(Task {
            workload,
            host: self.host.filter(|host| !host.is_empty()),
            flop: self.flop,
            weight: self.weight,
            group: self.group,
            space,
        })
    }
}

impl KnobDescription {
    fn into_knob(self, task: &str) -> Result<Knob, DescriptionError> {
        let entities = self
            .entities
            .iter()
            .map(|value| Entity::from_json(self.kind, value))
            .collect::<Result<_, _>>()
            .map_err(|source| DescriptionError::Entity {
                task: task.to_owned(),
                knob: self.name.clone(),
                source,
            })?;
        Knob::new(self.name, self.kind, entities).map_err(|source| DescriptionError::Knob {
            task: task.to_owned(),
            source,
        })
    }
}
