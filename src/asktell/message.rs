//! The messages of the protocol.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::space::SpaceMessage;

/// What the program that is tuned says.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Message {
    /// The first message: what can be chosen.
    Space(Box<SpaceMessage>),
    /// What came of the configurations asked for.
    Tell {
        /// Results; fewer than asked where the budget ended.
        results: Vec<TellResult>,
        /// Evaluations left.
        #[serde(default)]
        left: Option<usize>,
    },
    /// The end.
    Stop {
        /// Why.
        #[serde(default)]
        reason: Option<String>,
    },
}

/// What we answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Answer {
    /// Configurations to be evaluated.
    Ask {
        /// Which.
        configs: Vec<ConfigName>,
    },
    /// There is nothing left to ask for.
    Done,
}

/// How a configuration is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConfigName {
    /// By its place in the list of configurations.
    Index(u64),
    /// By the place of each parameter's value in its list.
    Digits(Vec<u32>),
}

/// What came of a configuration.
#[derive(Clone, Debug, Deserialize)]
pub struct TellResult {
    /// Which configuration.
    pub config: ConfigName,
    /// Whether it ran.
    pub status: Status,
    /// The objective's value, by this name or as `value`; null where there is none.
    #[serde(default, alias = "value", deserialize_with = "number_or_none")]
    pub time: Option<f64>,
}

/// Whether a configuration ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It did.
    Ok,
    /// It could not be built.
    Compile,
    /// It failed when it ran.
    Runtime,
    /// It violates a condition, or its result is wrong.
    Invalid,
    /// The space does not have it.
    NotInSpace,
    /// A status of a later version of the protocol; a failure.
    #[serde(other)]
    Unknown,
}

/// A number; anything else is none, for some programs write a text where they have no number.
fn number_or_none<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let value = Option::<Value>::deserialize(from)?;
    Ok(value.and_then(|value| crate::record::as_float(&value)))
}
