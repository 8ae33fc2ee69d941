//! The space that a program describes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::task::{
    Condition, ConditionValue, ConfigIndex, ConfigSpace, Entity, Knob, KnobKind, ValidityFilter,
};

use super::message::ConfigName;
use super::session::AskTellError;

/// The version of the protocol that is spoken here.
const PROTOCOL: u64 = 1;

/// The first message: what can be chosen, and what is looked for.
#[derive(Clone, Debug, Deserialize)]
pub struct SpaceMessage {
    /// Version of the protocol.
    #[serde(default)]
    pub protocol: Option<u64>,
    /// Seed, where the command line names none.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Evaluations that will be answered.
    #[serde(default)]
    pub budget: Option<usize>,
    /// `min` or `max`.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// The parameters.
    pub params: Vec<Parameter>,
    /// Conditions on them, as Python writes them; all must hold.
    #[serde(default)]
    pub constraints: Option<Vec<String>>,
    /// All configurations there are, each by the place of each parameter's value. Without it: all combinations that the
    /// constraints allow.
    #[serde(default)]
    pub configs: Option<Vec<Vec<u32>>>,
}

/// Which values are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Smaller ones.
    #[default]
    Min,
    /// Larger ones.
    Max,
}

/// A parameter and the values it can take.
#[derive(Clone, Debug, Deserialize)]
pub struct Parameter {
    /// Its name, as constraints use it.
    pub name: String,
    /// Its values.
    pub values: Vec<Value>,
}

/// The space, and how the program names its configurations.
pub(super) struct NamedSpace {
    pub space: Arc<ConfigSpace>,
    names: Names,
}

enum Names {
    /// By the place of each parameter's value.
    Digits,
    /// By the place in a list: our index of each place, and the place of each index.
    List(Vec<ConfigIndex>, Arc<BTreeMap<ConfigIndex, u64>>),
}

impl NamedSpace {
    /// The space that a message describes. A space without a list of configurations is never enumerated.
    ///
    /// # Errors
    /// When the protocol is another one, a parameter has no value, a constraint cannot be parsed, or a listed
    /// configuration isn't one of the parameters.
    pub(super) fn new(message: &SpaceMessage) -> Result<Self, AskTellError> {
        if let Some(version) = message.protocol.filter(|version| *version != PROTOCOL) {
            return Err(AskTellError::Protocol { version });
        }
        let knobs = message
            .params
            .iter()
            .map(|parameter| {
                let values = parameter.values.iter().cloned().map(Entity::Other);
                Knob::new(&parameter.name, KnobKind::Other, values.collect())
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| AskTellError::Space(error.to_string()))?;
        let space =
            ConfigSpace::new(knobs).map_err(|error| AskTellError::Space(error.to_string()))?;
        match &message.configs {
            Some(configs) => Self::listed(space, configs),
            None => Self::constrained(space, message),
        }
    }

    fn listed(space: ConfigSpace, configs: &[Vec<u32>]) -> Result<Self, AskTellError> {
        let mut indices = Vec::with_capacity(configs.len());
        let mut places = BTreeMap::new();
        for (place, digits) in configs.iter().enumerate() {
            let index = index_of(&space, digits).ok_or_else(|| {
                AskTellError::Space(format!(
                    "configuration {place} is not one of the parameters"
                ))
            })?;
            indices.push(index);
            places.entry(index).or_insert(place as u64);
        }
        let places = Arc::new(places);
        let space = if places.len() as u64 == space.range_length() {
            space
        } else {
            space.with_filter(Arc::new(Listed(Arc::clone(&places))))
        };
        Ok(Self {
            space: Arc::new(space),
            names: Names::List(indices, places),
        })
    }

    fn constrained(space: ConfigSpace, message: &SpaceMessage) -> Result<Self, AskTellError> {
        let parameters: Vec<&str> = message.params.iter().map(|p| p.name.as_str()).collect();
        let conditions = message
            .constraints
            .iter()
            .flatten()
            .map(|text| Condition::parse(text, &parameters))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| AskTellError::Space(error.to_string()))?;
        let space = if conditions.is_empty() {
            space
        } else {
            let values = message.params.iter().map(|parameter| {
                let value = |json| ConditionValue::from_json(json).unwrap_or(ConditionValue::None);
                parameter.values.iter().map(value).collect()
            });
            let filter = Constrained {
                bare: space.clone(),
                values: values.collect(),
                conditions,
            };
            space.with_filter(Arc::new(filter))
        };
        Ok(Self {
            space: Arc::new(space),
            names: Names::Digits,
        })
    }

    /// How the program calls a configuration.
    pub(super) fn name(&self, index: ConfigIndex) -> Option<ConfigName> {
        Some(match &self.names {
            Names::Digits => ConfigName::Digits(self.space.digits(index).ok()?),
            Names::List(_, places) => ConfigName::Index(*places.get(&index)?),
        })
    }

    /// The configuration that the program calls so; `None` when there is none.
    pub(super) fn index(&self, name: &ConfigName) -> Option<ConfigIndex> {
        match (name, &self.names) {
            (ConfigName::Digits(digits), _) => index_of(&self.space, digits),
            (ConfigName::Index(place), Names::List(indices, _)) => {
                indices.get(usize::try_from(*place).ok()?).copied()
            }
            (ConfigName::Index(_), Names::Digits) => None,
        }
    }
}

fn index_of(space: &ConfigSpace, digits: &[u32]) -> Option<ConfigIndex> {
    let fits = digits.len() == space.knobs().len()
        && space
            .sizes()
            .zip(digits)
            .all(|(size, &d)| (d as usize) < size);
    fits.then(|| space.index(digits))
}

/// Only listed configurations are valid.
struct Listed(Arc<BTreeMap<ConfigIndex, u64>>);

impl ValidityFilter for Listed {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        Ok(indices
            .iter()
            .map(|index| self.0.contains_key(index))
            .collect())
    }

    fn is_cheap(&self) -> bool {
        true
    }
}

/// Only configurations that satisfy all constraints are valid.
struct Constrained {
    bare: ConfigSpace,
    /// For each parameter, its values.
    values: Vec<Vec<ConditionValue>>,
    conditions: Vec<Condition>,
}

impl ValidityFilter for Constrained {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        let holds = |index: &ConfigIndex| {
            let digits = self.bare.digits(*index).map_err(|e| e.to_string())?;
            let values: Vec<ConditionValue> = self
                .values
                .iter()
                .zip(digits)
                .map(|(values, digit)| values[digit as usize].clone())
                .collect();
            for condition in &self.conditions {
                if !condition.holds(&values).map_err(|e| e.to_string())? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        indices.iter().map(holds).collect()
    }

    fn is_cheap(&self) -> bool {
        true
    }
}
