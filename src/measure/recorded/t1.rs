//! T1 files of the FAIR Benchmark Hub: the parameters of a kernel and the conditions on them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::record::{loads, read_bytes};
use crate::task::{Condition, ConditionValue};

use super::error::RecordedError;

/// Declared parameters and conditions.
#[derive(Clone, Debug)]
pub struct T1 {
    /// The file.
    pub path: PathBuf,
    /// Parameters in the order declared, each with its values.
    pub parameters: Vec<(String, Vec<Value>)>,
    /// Conditions on them; all must hold.
    pub conditions: Vec<Condition>,
}

impl T1 {
    /// Reads a T1 file, gzipped or not.
    ///
    /// # Errors
    /// When it cannot be read, is no T1 file, or has a condition that cannot be parsed.
    pub fn read(path: &Path) -> Result<Self, RecordedError> {
        let bytes = read_bytes(path).map_err(|source| RecordedError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let wrong = |reason: String| RecordedError::Conditions {
            path: path.to_owned(),
            reason,
        };
        let text = String::from_utf8(bytes).map_err(|_| wrong("no UTF-8 text".to_owned()))?;
        let file = loads(&text).map_err(|error| wrong(format!("no JSON: {error}")))?;
        let space = &file["ConfigurationSpace"];
        let Some(parameters) = space["TuningParameters"].as_array() else {
            return Err(wrong(
                "no T1 file: `ConfigurationSpace.TuningParameters` is missing".to_owned(),
            ));
        };
        let parameters = parameters
            .iter()
            .map(|parameter| named_values(parameter).map_err(wrong))
            .collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
        let conditions = space["Conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|condition| {
                let text = condition["Expression"]
                    .as_str()
                    .ok_or_else(|| wrong("a condition has no `Expression`".to_owned()))?;
                Condition::parse(text, &names).map_err(|error| wrong(error.to_string()))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            path: path.to_owned(),
            parameters,
            conditions,
        })
    }

    /// The conditions for knobs in another order.
    pub(super) fn conditions_for(&self, names: &[String]) -> Result<Vec<Condition>, RecordedError> {
        self.conditions
            .iter()
            .map(|condition| Condition::parse(&condition.to_string(), names))
            .collect::<Result<_, _>>()
            .map_err(|source| RecordedError::Condition {
                name: self.path.display().to_string(),
                source,
            })
    }

    /// Whether the parameters are the knobs with these names, in any order.
    pub(super) fn is_about(&self, names: &[String]) -> bool {
        self.parameters.len() == names.len()
            && self.parameters.iter().all(|(name, _)| names.contains(name))
    }
}

/// `{"Name": "block_size_x", "Values": "[16, 32]"}`; the values may be a JSON list, too.
fn named_values(parameter: &Value) -> Result<(String, Vec<Value>), String> {
    let name = parameter["Name"]
        .as_str()
        .ok_or("a parameter has no `Name`")?
        .to_owned();
    let values = match &parameter["Values"] {
        Value::Array(values) => values.clone(),
        Value::String(text) => {
            let list = Condition::parse::<&str>(text, &[]).and_then(|list| list.value(&[]));
            match list.map_err(|error| format!("values of `{name}`: {error}"))? {
                ConditionValue::List(values) => {
                    values.iter().map(ConditionValue::to_json).collect()
                }
                _ => return Err(format!("`{text}` is no list of values of `{name}`")),
            }
        }
        _ => return Err(format!("parameter `{name}` has no `Values`")),
    };
    Ok((name, values))
}
