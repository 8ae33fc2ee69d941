//! One configuration, and its form in AutoTVM's log.

use serde_json::{Value, json};

use super::index::ConfigIndex;
use super::knob::{Entity, EntityError, KnobKind};

/// A value for every knob.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigEntity {
    /// AutoTVM's number of the configuration in its space.
    pub index: ConfigIndex,
    /// Knob names and values, in definition order.
    pub entities: Vec<(String, Entity)>,
}

/// Why a JSON value is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A field is missing or of the wrong type.
    #[error("`{field}` is missing or is no {expected}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A knob's tag is none of AutoTVM's.
    #[error("knob `{knob}` is of the unknown kind `{tag}` (known: sp, re, an, ot)")]
    UnknownKind {
        /// The knob's name.
        knob: String,
        /// The tag found.
        tag: String,
    },
    /// A knob's value does not fit its kind.
    #[error("knob `{knob}`: {source}")]
    Value {
        /// The knob's name.
        knob: String,
        /// What is wrong with the value.
        source: EntityError,
    },
}

impl ConfigEntity {
    /// AutoTVM's `config` object: `{"index": 7, "code_hash": null, "entity": [["tile_x", "sp", [-1, 2]]]}`.
    pub fn to_json(&self) -> Value {
        let entity: Vec<Value> = self
            .entities
            .iter()
            .map(|(name, entity)| json!([name, entity.kind().tag(), entity.to_json()]))
            .collect();
        json!({"index": self.index.0, "code_hash": null, "entity": entity})
    }

    /// The same configuration with the outer size of every split left to be implied (-1).
    ///
    /// TVM's fallback schedules spell it out; spaces do not.
    pub fn with_outer_sizes_implied(mut self) -> Self {
        for (_, entity) in &mut self.entities {
            if let Entity::Split(sizes) = entity
                && let Some(outer) = sizes.first_mut()
            {
                *outer = -1;
            }
        }
        self
    }

    /// Reads AutoTVM's `config` object.
    ///
    /// # Errors
    /// When a field is missing, a kind unknown, or a value does not fit its kind.
    pub fn from_json(value: &Value) -> Result<Self, ConfigError> {
        let index = value["index"].as_u64().ok_or(ConfigError::Field {
            field: "index",
            expected: "number",
        })?;
        let no_list = ConfigError::Field {
            field: "entity",
            expected: "list of [name, kind, value]",
        };
        let entities = value["entity"]
            .as_array()
            .ok_or(no_list)?
            .iter()
            .map(knob_from_json)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            index: ConfigIndex(index),
            entities,
        })
    }
}

fn knob_from_json(item: &Value) -> Result<(String, Entity), ConfigError> {
    let (Some(name), Some(tag), Some(value)) = (item[0].as_str(), item[1].as_str(), item.get(2))
    else {
        return Err(ConfigError::Field {
            field: "entity",
            expected: "list of [name, kind, value]",
        });
    };
    let kind = KnobKind::from_tag(tag).ok_or_else(|| ConfigError::UnknownKind {
        knob: name.to_owned(),
        tag: tag.to_owned(),
    })?;
    let entity = Entity::from_json(kind, value).map_err(|source| ConfigError::Value {
        knob: name.to_owned(),
        source,
    })?;
    Ok((name.to_owned(), entity))
}
