//! Values in a condition, compared and counted with as Python does.

use std::cmp::Ordering;

use serde_json::Value as Json;

/// A value of a parameter or of a part of a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`; counts as 1 or 0.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list or a tuple.
    List(Vec<Value>),
}

/// A number, with booleans taken for one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    pub(super) const fn as_float(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }
}

impl Value {
    /// The value of a JSON value, as Python's `json.loads` reads it; an object has none.
    pub fn from_json(json: &Json) -> Option<Self> {
        Some(match json {
            Json::Null => Self::None,
            Json::Bool(bool) => Self::Bool(*bool),
            Json::Number(number) => match number.as_i128() {
                Some(int) => Self::Int(int),
                None => Self::Float(number.as_f64()?),
            },
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(items) => {
                Self::List(items.iter().map(Self::from_json).collect::<Option<_>>()?)
            }
            Json::Object(_) => return None,
        })
    }

    /// The value as JSON; a float that JSON has no number for becomes null.
    pub fn to_json(&self) -> Json {
        match self {
            Self::None => Json::Null,
            Self::Bool(bool) => Json::from(*bool),
            Self::Int(int) => i64::try_from(*int).map_or(Json::from(*int as f64), Json::from),
            Self::Float(float) => Json::from(*float),
            Self::Text(text) => Json::from(text.as_str()),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
        }
    }

    /// Python's truth: everything but `None`, zero and what is empty.
    pub fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(bool) => *bool,
            Self::Int(int) => *int != 0,
            Self::Float(float) => *float != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
        }
    }

    pub(super) const fn number(&self) -> Option<Number> {
        match self {
            Self::Bool(bool) => Some(Number::Int(*bool as i128)),
            Self::Int(int) => Some(Number::Int(*int)),
            Self::Float(float) => Some(Number::Float(*float)),
            Self::None | Self::Text(_) | Self::List(_) => None,
        }
    }

    pub(super) const fn type_name(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "str",
            Self::List(_) => "list",
        }
    }

    /// Python's `==`: numbers by value whatever their type.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self.number(), other.number()) {
            (Some(_), Some(_)) => self.order(other) == Some(Ordering::Equal),
            (None, None) => match (self, other) {
                (Self::List(a), Self::List(b)) => {
                    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
                }
                _ => self == other,
            },
            _ => false,
        }
    }

    /// How two values compare by size; `None` where Python refuses, or a number is none.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self.number(), other.number()) {
            (Some(Number::Int(a)), Some(Number::Int(b))) => Some(a.cmp(&b)),
            (Some(a), Some(b)) => a.as_float().partial_cmp(&b.as_float()),
            _ => match (self, other) {
                (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
                _ => None,
            },
        }
    }
}
