//! A knob: one choice that a template leaves open, and the entities it can take.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// AutoTVM's four kinds of knob, by the tags that its log uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KnobKind {
    /// A loop split into factors (`"sp"`).
    #[serde(rename = "sp")]
    Split,
    /// An order of axes (`"re"`).
    #[serde(rename = "re")]
    Reorder,
    /// Annotations of axes such as `unroll` or `vec` (`"an"`).
    #[serde(rename = "an")]
    Annotate,
    /// Any other value (`"ot"`).
    #[serde(rename = "ot")]
    Other,
}

impl KnobKind {
    /// The tag in AutoTVM's log.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Split => "sp",
            Self::Reorder => "re",
            Self::Annotate => "an",
            Self::Other => "ot",
        }
    }

    /// The kind that a tag of AutoTVM's log names.
    pub fn from_tag(tag: &str) -> Option<Self> {
        [Self::Split, Self::Reorder, Self::Annotate, Self::Other]
            .into_iter()
            .find(|kind| kind.tag() == tag)
    }
}

/// One value of a knob.
#[derive(Clone, Debug, PartialEq)]
pub enum Entity {
    /// Sizes of the split's loops, outermost first. The outer one is usually -1: the rest implies it.
    Split(Vec<i64>),
    /// `order[i]` is the axis that comes at place `i`.
    Reorder(Vec<u32>),
    /// One annotation per axis.
    Annotate(Vec<String>),
    /// Any JSON scalar.
    Other(Value),
}

/// Why a JSON value is no entity of the kind it claims.
#[derive(Debug, thiserror::Error)]
#[error("{value} is no value of a knob of kind `{tag}` ({expected} expected)", tag = kind.tag())]
pub struct EntityError {
    kind: KnobKind,
    value: String,
    expected: &'static str,
}

impl Entity {
    /// The kind of knob that takes this value.
    pub const fn kind(&self) -> KnobKind {
        match self {
            Self::Split(_) => KnobKind::Split,
            Self::Reorder(_) => KnobKind::Reorder,
            Self::Annotate(_) => KnobKind::Annotate,
            Self::Other(_) => KnobKind::Other,
        }
    }

    /// Reads the value that AutoTVM's log stores for a knob of this kind.
    ///
    /// # Errors
    /// When the value has another shape than the kind asks for.
    pub fn from_json(kind: KnobKind, value: &Value) -> Result<Self, EntityError> {
        let wrong = |expected| EntityError {
            kind,
            value: value.to_string(),
            expected,
        };
        fn list<T>(value: &Value, item: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
            value.as_array()?.iter().map(item).collect()
        }
        match kind {
            KnobKind::Split => list(value, Value::as_i64)
                .map(Self::Split)
                .ok_or_else(|| wrong("a list of integers")),
            KnobKind::Reorder => list(value, |v| u32::try_from(v.as_u64()?).ok())
                .map(Self::Reorder)
                .ok_or_else(|| wrong("a list of axis numbers")),
            KnobKind::Annotate => list(value, |v| v.as_str().map(str::to_owned))
                .map(Self::Annotate)
                .ok_or_else(|| wrong("a list of strings")),
            KnobKind::Other if value.is_array() || value.is_object() => Err(wrong("a scalar")),
            KnobKind::Other => Ok(Self::Other(value.clone())),
        }
    }

    /// The number that it stands for: a split's innermost size, or the value itself; `None` if it is none, or negative.
    pub(crate) fn number(&self) -> Option<usize> {
        let number = match self {
            Self::Split(sizes) => *sizes.last()?,
            Self::Other(value) => value.as_i64()?,
            Self::Reorder(_) | Self::Annotate(_) => return None,
        };
        usize::try_from(number).ok()
    }

    /// The value as AutoTVM's log stores it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Split(sizes) => json!(sizes),
            Self::Reorder(order) => json!(order),
            Self::Annotate(annotations) => json!(annotations),
            Self::Other(value) => value.clone(),
        }
    }
}

/// A named choice and the values it can take, in AutoTVM's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Knob {
    name: String,
    kind: KnobKind,
    entities: Vec<Entity>,
}

/// Why a knob cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum KnobError {
    /// There is nothing to choose from.
    #[error("knob `{name}` has no value to choose from")]
    Empty {
        /// The knob's name.
        name: String,
    },
    /// A value of another kind than the knob's.
    #[error("knob `{name}`: value {position} is of kind `{found}`, the knob of kind `{expected}`")]
    MixedKinds {
        /// The knob's name.
        name: String,
        /// Where the value stands in the knob's list.
        position: usize,
        /// Tag of the value's kind.
        found: &'static str,
        /// Tag of the knob's kind.
        expected: &'static str,
    },
}

impl Knob {
    /// A knob that takes one of `entities`.
    ///
    /// # Errors
    /// When there is none, or one is of another kind.
    pub fn new(
        name: impl Into<String>,
        kind: KnobKind,
        entities: Vec<Entity>,
    ) -> Result<Self, KnobError> {
        let name = name.into();
        if entities.is_empty() {
            return Err(KnobError::Empty { name });
        }
        if let Some(position) = entities.iter().position(|e| e.kind() != kind) {
            return Err(KnobError::MixedKinds {
                name,
                position,
                found: entities[position].kind().tag(),
                expected: kind.tag(),
            });
        }
        Ok(Self {
            name,
            kind,
            entities,
        })
    }

    /// The name that the template gave.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of every value.
    pub const fn kind(&self) -> KnobKind {
        self.kind
    }

    /// The values, in AutoTVM's order.
    pub fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// Number of values; at least one.
    #[expect(clippy::len_without_is_empty, reason = "a knob is never empty")]
    pub fn len(&self) -> usize {
        self.entities.len()
    }
}
