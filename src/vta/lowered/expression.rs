//! Index expressions of a lowered kernel: integers that depend on loop variables.

use serde::{Deserialize, Serialize};

/// A 32-bit integer of TVM, computed in 64 bits; a truth value is 0 or 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Expression {
    #[serde(rename = "c")]
    Constant(i64),
    #[serde(rename = "v")]
    Variable(usize),
    #[serde(rename = "b")]
    Binary(Operator, Box<(Expression, Expression)>),
    #[serde(rename = "n")]
    Not(Box<Expression>),
    /// Condition, value if it holds, value if not.
    #[serde(rename = "s")]
    Select(Box<(Expression, Expression, Expression)>),
}

/// An operator of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Operator {
    Add,
    Sub,
    Mul,
    /// Rounds towards zero, as C's.
    Div,
    Mod,
    /// Rounds down.
    FloorDiv,
    FloorMod,
    Min,
    Max,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
    ShiftLeft,
    ShiftRight,
}

impl Expression {
    /// The value; `None` where it has none (a division by zero, a shift by too much, a number beyond 64 bits).
    pub(super) fn value(&self, variables: &[i64]) -> Option<i64> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::Variable(variable) => variables.get(*variable).copied(),
            Self::Binary(operator, operands) => {
                let (a, b) = (operands.0.value(variables)?, operands.1.value(variables)?);
                operator.apply(a, b)
            }
            Self::Not(operand) => Some(i64::from(operand.value(variables)? == 0)),
            Self::Select(parts) => match parts.0.value(variables)? {
                0 => parts.2.value(variables),
                _ => parts.1.value(variables),
            },
        }
    }

    /// Calls `visit` with every variable in it.
    pub(super) fn variables(&self, visit: &mut impl FnMut(usize)) {
        match self {
            Self::Constant(_) => {}
            Self::Variable(variable) => visit(*variable),
            Self::Binary(_, operands) => {
                operands.0.variables(visit);
                operands.1.variables(visit);
            }
            Self::Not(operand) => operand.variables(visit),
            Self::Select(parts) => {
                parts.0.variables(visit);
                parts.1.variables(visit);
                parts.2.variables(visit);
            }
        }
    }
}

impl Operator {
    /// The operator of a TVM node, by its type key.
    pub(super) fn of_type_key(key: &str) -> Option<Self> {
        Some(match key {
            "tir.Add" => Self::Add,
            "tir.Sub" => Self::Sub,
            "tir.Mul" => Self::Mul,
            "tir.Div" => Self::Div,
            "tir.Mod" => Self::Mod,
            "tir.FloorDiv" => Self::FloorDiv,
            "tir.FloorMod" => Self::FloorMod,
            "tir.Min" => Self::Min,
            "tir.Max" => Self::Max,
            "tir.EQ" => Self::Eq,
            "tir.NE" => Self::Ne,
            "tir.LT" => Self::Lt,
            "tir.LE" => Self::Le,
            "tir.GT" => Self::Gt,
            "tir.GE" => Self::Ge,
            "tir.And" => Self::And,
            "tir.Or" => Self::Or,
            _ => return None,
        })
    }

    fn apply(self, a: i64, b: i64) -> Option<i64> {
        let shift = |b: i64| u32::try_from(b).ok().filter(|&b| b < 32);
        match self {
            Self::Add => a.checked_add(b),
            Self::Sub => a.checked_sub(b),
            Self::Mul => a.checked_mul(b),
            Self::Div => a.checked_div(b),
            Self::Mod => a.checked_rem(b),
            Self::FloorDiv => Some(a.checked_div(b)? - i64::from(a % b != 0 && (a < 0) != (b < 0))),
            Self::FloorMod => {
                let rest = a.checked_rem(b)?;
                Some(if rest != 0 && (rest < 0) != (b < 0) {
                    rest + b
                } else {
                    rest
                })
            }
            Self::Min => Some(a.min(b)),
            Self::Max => Some(a.max(b)),
            Self::Eq => Some(i64::from(a == b)),
            Self::Ne => Some(i64::from(a != b)),
            Self::Lt => Some(i64::from(a < b)),
            Self::Le => Some(i64::from(a <= b)),
            Self::Gt => Some(i64::from(a > b)),
            Self::Ge => Some(i64::from(a >= b)),
            Self::And => Some(i64::from(a != 0 && b != 0)),
            Self::Or => Some(i64::from(a != 0 || b != 0)),
            Self::ShiftLeft => Some(a << shift(b)?),
            Self::ShiftRight => Some(a >> shift(b)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_as_tvm_says() {
        let apply = |operator: Operator, a, b| operator.apply(a, b);
        assert_eq!(apply(Operator::Div, -7, 2), Some(-3));
        assert_eq!(apply(Operator::Mod, -7, 2), Some(-1));
        assert_eq!(apply(Operator::FloorDiv, -7, 2), Some(-4));
        assert_eq!(apply(Operator::FloorMod, -7, 2), Some(1));
        assert_eq!(apply(Operator::FloorDiv, 7, -2), Some(-4));
        assert_eq!(apply(Operator::FloorMod, 7, -2), Some(-1));
        assert_eq!(apply(Operator::FloorDiv, 8, 2), Some(4));
    }

    #[test]
    fn what_has_no_value_is_no_panic() {
        for (operator, a, b) in [
            (Operator::Div, 1, 0),
            (Operator::FloorMod, 1, 0),
            (Operator::FloorDiv, i64::MIN, -1),
            (Operator::Mul, i64::MAX, 2),
            (Operator::ShiftLeft, 1, 32),
            (Operator::ShiftRight, 1, -1),
        ] {
            assert_eq!(operator.apply(a, b), None, "{operator:?} {a} {b}");
        }
    }
}
