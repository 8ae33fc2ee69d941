//! What can be computed of validity before anything is measured.

use crate::task::{Condition, ConditionValue, ConfigSpace, Entity, Knob, PackedMask};

/// Says of each configuration whether it can be valid.
pub(super) trait Mask: Send + Sync {
    /// Whether the configuration with these digits is open to strategies.
    ///
    /// # Errors
    /// When that cannot be computed; the text says why.
    fn allows(&self, space: &ConfigSpace, digits: &[u32]) -> Result<bool, String>;

    /// What it is, for messages.
    fn name(&self) -> String;
}

/// Declared conditions, all of which must hold.
#[derive(Debug)]
pub(super) struct Declared {
    pub conditions: Vec<Condition>,
    /// For each knob, its values.
    values: Vec<Vec<ConditionValue>>,
    pub source: String,
}

impl Declared {
    /// Conditions on these knobs.
    pub(super) fn new(conditions: Vec<Condition>, knobs: &[Knob], source: String) -> Self {
        let values = knobs
            .iter()
            .map(|knob| knob.entities().iter().map(value_of).collect())
            .collect();
        Self {
            conditions,
            values,
            source,
        }
    }
}

fn value_of(entity: &Entity) -> ConditionValue {
    ConditionValue::from_json(&entity.to_json()).unwrap_or(ConditionValue::None)
}

impl Mask for Declared {
    fn allows(&self, _space: &ConfigSpace, digits: &[u32]) -> Result<bool, String> {
        let values: Vec<ConditionValue> = self
            .values
            .iter()
            .zip(digits)
            .map(|(values, &digit)| values[digit as usize].clone())
            .collect();
        for condition in &self.conditions {
            if !condition
                .holds(&values)
                .map_err(|error| error.to_string())?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn name(&self) -> String {
        format!("the conditions of {}", self.source)
    }
}

impl Mask for PackedMask {
    fn allows(&self, _space: &ConfigSpace, digits: &[u32]) -> Result<bool, String> {
        Ok(Self::allows(self, digits))
    }

    fn name(&self) -> String {
        format!("the rules of {}", self.template())
    }
}
