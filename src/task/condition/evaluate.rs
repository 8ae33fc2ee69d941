//! What an expression evaluates to, as in Python.

use std::cmp::Ordering;

use super::parse::{Comparison, Expression, Function};
use super::value::{Number, Value};

/// Evaluates with these values of the parameters.
///
/// # Errors
/// Where Python would raise.
pub(super) fn evaluate(expression: &Expression, values: &[Value]) -> Result<Value, String> {
    let of = |expression: &Expression| evaluate(expression, values);
    let all = |items: &[Expression]| items.iter().map(of).collect::<Result<Vec<_>, _>>();
    Ok(match expression {
        Expression::Constant(value) => value.clone(),
        Expression::Parameter(position) => values
            .get(*position)
            .cloned()
            .ok_or("a parameter has no value")?,
        Expression::List(items) => Value::List(all(items)?),
        Expression::Not(operand) => Value::Bool(!of(operand)?.is_true()),
        Expression::Unary(sign, operand) => unary(sign, &of(operand)?)?,
        Expression::Binary(sign, left, right) => binary(sign, &of(left)?, &of(right)?)?,
        Expression::Compare(first, rest) => {
            let mut left = of(first)?;
            for (comparison, right) in rest {
                let right = of(right)?;
                if !compare(*comparison, &left, &right)? {
                    return Ok(Value::Bool(false));
                }
                left = right;
            }
            Value::Bool(true)
        }
        Expression::And(parts) => short_circuit(parts, values, false)?,
        Expression::Or(parts) => short_circuit(parts, values, true)?,
        Expression::Choice(parts) => {
            let [condition, value, otherwise] = parts.as_ref();
            if of(condition)?.is_true() {
                of(value)?
            } else {
                of(otherwise)?
            }
        }
        Expression::Call(function, arguments) => call(*function, all(arguments)?)?,
        Expression::Item(list, index) => item(&of(list)?, &of(index)?)?,
    })
}

/// The first part whose truth is `ends_at`, or the last one.
fn short_circuit(parts: &[Expression], values: &[Value], ends_at: bool) -> Result<Value, String> {
    let mut value = Value::None;
    for part in parts {
        value = evaluate(part, values)?;
        if value.is_true() == ends_at {
            break;
        }
    }
    Ok(value)
}

fn unary(sign: &str, operand: &Value) -> Result<Value, String> {
    let number = operand.number();
    let negated = |int: i128| int.checked_neg().ok_or_else(too_large);
    Ok(match (sign, number) {
        ("+", Some(Number::Int(int))) => Value::Int(int),
        ("+", Some(Number::Float(float))) => Value::Float(float),
        ("-", Some(Number::Int(int))) => Value::Int(negated(int)?),
        ("-", Some(Number::Float(float))) => Value::Float(-float),
        ("~", Some(Number::Int(int))) => Value::Int(!int),
        _ => return Err(format!("`{sign}` of a {}", operand.type_name())),
    })
}

fn too_large() -> String {
    "a number is too large".to_owned()
}

fn binary(sign: &str, left: &Value, right: &Value) -> Result<Value, String> {
    if let (Value::Bool(a), Value::Bool(b)) = (left, right) {
        match sign {
            "&" => return Ok(Value::Bool(*a && *b)),
            "|" => return Ok(Value::Bool(*a || *b)),
            "^" => return Ok(Value::Bool(a != b)),
            _ => {}
        }
    }
    if let (Some(Number::Int(a)), Some(Number::Int(b))) = (left.number(), right.number()) {
        return integers(sign, a, b);
    }
    let (Some(a), Some(b)) = (left.number(), right.number()) else {
        let (left, right) = (left.type_name(), right.type_name());
        return Err(format!("{left} {sign} {right} has no value"));
    };
    floats(sign, a.as_float(), b.as_float())
}

fn integers(sign: &str, a: i128, b: i128) -> Result<Value, String> {
    if b == 0 && matches!(sign, "/" | "//" | "%") {
        return Err("division by zero".to_owned());
    }
    let result = match sign {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        // Rounded down, as the remainder has the sign of the divisor.
        "//" => a.checked_div(b).map(|q| q - i128::from(rounds_up(a, b))),
        "%" => a
            .checked_rem(b)
            .map(|r| if rounds_up(a, b) { r + b } else { r }),
        "/" => return Ok(Value::Float(a as f64 / b as f64)),
        "**" if b < 0 => return floats(sign, a as f64, b as f64),
        "**" => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        "&" => Some(a & b),
        "|" => Some(a | b),
        "^" => Some(a ^ b),
        "<<" | ">>" => {
            let shift = u32::try_from(b).map_err(|_| "a negative shift, or one too wide")?;
            if sign == ">>" {
                Some(a >> shift.min(127))
            } else {
                1i128
                    .checked_shl(shift)
                    .filter(|factor| *factor > 0)
                    .and_then(|factor| a.checked_mul(factor))
            }
        }
        _ => return Err(format!("`{sign}` is no operator")),
    };
    result.map(Value::Int).ok_or_else(too_large)
}

/// Whether division toward zero gives one more than division rounded down.
const fn rounds_up(a: i128, b: i128) -> bool {
    a % b != 0 && (a < 0) != (b < 0)
}

fn floats(sign: &str, a: f64, b: f64) -> Result<Value, String> {
    if b == 0.0 && matches!(sign, "/" | "//" | "%") {
        return Err("division by zero".to_owned());
    }
    Ok(Value::Float(match sign {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "//" => divided(a, b).0,
        "%" => divided(a, b).1,
        "**" => a.powf(b),
        _ => return Err(format!("float {sign} float has no value")),
    }))
}

/// Quotient rounded down, and remainder, as Python's `float_divmod` finds them (Objects/floatobject.c): 1 // 0.1 is 9.
fn divided(a: f64, b: f64) -> (f64, f64) {
    let mut remainder = a % b;
    let mut quotient = (a - remainder) / b;
    if remainder == 0.0 {
        remainder = 0.0_f64.copysign(b);
    } else if (b < 0.0) != (remainder < 0.0) {
        remainder += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(a / b), remainder);
    }
    let down = quotient.floor();
    let nearer = if quotient - down > 0.5 {
        down + 1.0
    } else {
        down
    };
    (nearer, remainder)
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<bool, String> {
    let both_numbers = left.number().is_some() && right.number().is_some();
    let order = |accepts: &dyn Fn(Ordering) -> bool| match left.order(right) {
        Some(order) => Ok(accepts(order)),
        // Not a number compares with nothing.
        None if both_numbers => Ok(false),
        None => Err(format!(
            "{} and {} have no order",
            left.type_name(),
            right.type_name()
        )),
    };
    match comparison {
        Comparison::Less => order(&Ordering::is_lt),
        Comparison::LessOrEqual => order(&Ordering::is_le),
        Comparison::Greater => order(&Ordering::is_gt),
        Comparison::GreaterOrEqual => order(&Ordering::is_ge),
        Comparison::Equal => Ok(left.equals(right)),
        Comparison::NotEqual => Ok(!left.equals(right)),
        Comparison::In => contains(right, left),
        Comparison::NotIn => contains(right, left).map(|found| !found),
    }
}

fn contains(list: &Value, value: &Value) -> Result<bool, String> {
    match (list, value) {
        (Value::List(items), _) => Ok(items.iter().any(|item| item.equals(value))),
        (Value::Text(text), Value::Text(part)) => Ok(text.contains(part)),
        _ => Err(format!("nothing is `in` a {}", list.type_name())),
    }
}

fn call(function: Function, mut arguments: Vec<Value>) -> Result<Value, String> {
    let one = arguments.len() == 1;
    match function {
        Function::Min | Function::Max => {
            if let (true, Some(Value::List(items))) = (one, arguments.first()) {
                arguments = items.clone();
            }
            let wanted = if function == Function::Min {
                Ordering::Less
            } else {
                Ordering::Greater
            };
            let mut arguments = arguments.into_iter();
            let mut best = arguments.next().ok_or("`min` or `max` of nothing")?;
            for value in arguments {
                let order = value.order(&best).ok_or("values have no order")?;
                if order == wanted {
                    best = value;
                }
            }
            Ok(best)
        }
        Function::Sum => match arguments.as_slice() {
            [Value::List(items)] => items
                .iter()
                .try_fold(Value::Int(0), |sum, item| binary("+", &sum, item)),
            _ => Err("`sum` takes a list".to_owned()),
        },
        Function::Len => match arguments.as_slice() {
            [Value::List(items)] => Ok(Value::Int(items.len() as i128)),
            [Value::Text(text)] => Ok(Value::Int(text.chars().count() as i128)),
            _ => Err("`len` takes a list or a text".to_owned()),
        },
        Function::Abs | Function::Int | Function::Float => {
            let number = arguments.first().filter(|_| one).and_then(Value::number);
            Ok(match (function, number.ok_or("it takes one number")?) {
                (Function::Abs, Number::Int(int)) => {
                    Value::Int(int.checked_abs().ok_or_else(too_large)?)
                }
                (Function::Abs, Number::Float(float)) => Value::Float(float.abs()),
                (Function::Int, Number::Int(int)) => Value::Int(int),
                (Function::Int, Number::Float(float)) if float.is_finite() => {
                    Value::Int(float.trunc() as i128)
                }
                (Function::Int, Number::Float(_)) => {
                    return Err("`int` of what is no number".to_owned());
                }
                (_, number) => Value::Float(number.as_float()),
            })
        }
    }
}

fn item(list: &Value, index: &Value) -> Result<Value, String> {
    let (Value::List(items), Some(Number::Int(index))) = (list, index.number()) else {
        return Err("only a list has items, by their number".to_owned());
    };
    let from_end = if index < 0 { items.len() as i128 } else { 0 };
    usize::try_from(index + from_end)
        .ok()
        .and_then(|index| items.get(index).cloned())
        .ok_or_else(|| format!("a list of {} has no item {index}", items.len()))
}
