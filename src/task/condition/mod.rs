//! Conditions on combinations of knobs, as tuners in Python write them: `32 <= block_x * block_y <= 1024`.
//!
//! The part of Python's expressions that such conditions are made of, with Python's precedence and meaning: chained
//! comparisons, `and`/`or` that return an operand, `//` and `%` that round down. Kernel Tuner's T1 files and the
//! ask/tell protocol use them.

mod evaluate;
mod parse;
mod token;
mod value;

#[cfg(test)]
mod tests;

pub use value::Value;

use std::fmt;

/// A parsed condition on named parameters.
#[derive(Clone, Debug)]
pub struct Condition {
    text: String,
    expression: parse::Expression,
}

/// Why a text is no condition, or why a condition has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("condition `{text}`: {reason}")]
pub struct ConditionError {
    /// The whole condition.
    pub text: String,
    /// What is wrong.
    pub reason: String,
}

impl Condition {
    /// Parses a condition on parameters with these names. Values are later given in the same order.
    ///
    /// ```
    /// use arco_tvm::task::{Condition, ConditionValue as Value};
    /// let condition = Condition::parse("32 <= x * y <= 1024 or y == 0", &["x", "y"]).unwrap();
    /// assert!(condition.holds(&[Value::Int(8), Value::Int(4)]).unwrap());
    /// assert!(!condition.holds(&[Value::Int(8), Value::Int(3)]).unwrap());
    /// assert!(Condition::parse("z > 1", &["x", "y"]).is_err());
    /// ```
    ///
    /// # Errors
    /// When it is none, or names something else.
    pub fn parse<N: AsRef<str>>(text: &str, names: &[N]) -> Result<Self, ConditionError> {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let expression = token::tokens(text)
            .and_then(|tokens| parse::parse(&tokens, &names))
            .map_err(|reason| ConditionError {
                text: text.to_owned(),
                reason,
            })?;
        Ok(Self {
            text: text.to_owned(),
            expression,
        })
    }

    /// Whether the condition holds for `values`, one for each name.
    ///
    /// # Errors
    /// Where Python would raise: a division by zero, operands of the wrong type.
    pub fn holds(&self, values: &[Value]) -> Result<bool, ConditionError> {
        self.value(values).map(|value| value.is_true())
    }

    /// What the expression evaluates to.
    ///
    /// # Errors
    /// See [`Self::holds`].
    pub fn value(&self, values: &[Value]) -> Result<Value, ConditionError> {
        evaluate::evaluate(&self.expression, values).map_err(|reason| ConditionError {
            text: self.text.clone(),
            reason,
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
