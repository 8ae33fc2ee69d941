//! Every expectation is what Python 3.11 prints for the same expression.

use super::{Condition, Value};

fn python(text: &str) -> Result<Value, String> {
    let values = [
        Value::Int(8),
        Value::Int(3),
        Value::Text("float4".to_owned()),
        Value::Bool(true),
    ];
    Condition::parse(text, &["x", "y", "kind", "flag"])
        .and_then(|condition| condition.value(&values))
        .map_err(|error| error.reason)
}

#[test]
fn expressions_mean_what_they_mean_in_python() {
    for (text, expected) in [
        ("1 + 2 * 3 ** 2", Value::Int(19)),
        ("-2 ** 2", Value::Int(-4)),
        ("2 ** -1", Value::Float(0.5)),
        ("2 ** 3 ** 2", Value::Int(512)),
        ("-7 // 2", Value::Int(-4)),
        ("-7 % 3", Value::Int(2)),
        ("7 % -3", Value::Int(-2)),
        ("7 / 2", Value::Float(3.5)),
        ("-7.5 // 2", Value::Float(-4.0)),
        ("1 // 0.1", Value::Float(9.0)),
        ("-1 % 0.75", Value::Float(0.5)),
        ("flag & (x > 1)", Value::Bool(true)),
        ("1 << 4 | 3 & 2 ^ 1", Value::Int(19)),
        ("~5", Value::Int(-6)),
        ("0x10 + 1_000", Value::Int(1016)),
        ("1e3 + .5", Value::Float(1000.5)),
        ("1.5e-1 * 2", Value::Float(0.3)),
        ("flag + 1", Value::Int(2)),
        ("max(x, y) - min([4, 2.5])", Value::Float(5.5)),
        ("abs(-3) + int(7.9) + len(kind)", Value::Int(16)),
        ("sum([1, 2, 3])", Value::Int(6)),
        ("[1, 2, 3][-1]", Value::Int(3)),
        ("x if y > 3 else -x", Value::Int(-8)),
        // `and` and `or` return an operand.
        ("0 or x", Value::Int(8)),
        ("0 and 1 / 0", Value::Int(0)),
        ("x or 1 / 0", Value::Int(8)),
    ] {
        assert_eq!(python(text), Ok(expected), "{text}");
    }
}

#[test]
fn comparisons_are_chained() {
    for (text, expected) in [
        ("1 < y < x <= 8", true),
        ("1 < x < y", false),
        ("x == 8.0 != y", true),
        ("not x < y", true),
        ("not not x", true),
        ("y in (1, 3, 5)", true),
        ("y not in [1, 3]", false),
        ("kind == 'float4' and \"oat\" in kind", true),
        ("kind != 4", true),
        // Each comparison sees its own neighbours: 3 > 2 and 2 == 2.
        ("y > 2 == 2", true),
        ("(y > 2) == 2", false),
        ("x == 8 or y == 0 and x == 0", true),
        ("use_shmem == 0", false),
    ] {
        let values = [
            Value::Int(8),
            Value::Int(3),
            Value::Text("float4".to_owned()),
            Value::Int(1),
        ];
        let condition = Condition::parse(text, &["x", "y", "kind", "use_shmem"]).unwrap();
        assert_eq!(condition.holds(&values), Ok(expected), "{text}");
    }
}

#[test]
fn what_python_refuses_is_refused_with_its_reason() {
    for (text, reason) in [
        ("x / 0", "division by zero"),
        ("x % 0", "division by zero"),
        ("kind < x", "str and int have no order"),
        ("kind * 2.5", "str * float has no value"),
        (
            "z > 1",
            "there is no parameter `z` (there are: x, y, kind, flag)",
        ),
        ("x >", "it ends too early"),
        ("(x", "`)` is missing"),
        ("x y", "`y` is one too many"),
        ("x $ y", "`$` belongs to no expression"),
        ("'x", "a text has no end"),
        ("1abc", "`1abc` is no number"),
        ("exit(1)", "`exit` is no function that conditions may call"),
        ("[1][3]", "a list of 1 has no item 3"),
        ("", "it ends too early"),
        ("2 ** 200", "a number is too large"),
    ] {
        assert_eq!(python(text), Err(reason.to_owned()), "{text}");
    }
}

#[test]
fn deep_nesting_is_refused_and_does_not_end_the_program() {
    for part in ["(", "[", "2 ** ", "x if ", "not ", "-", "1 + ", "x["] {
        for times in [500, 100_000] {
            // Whether it is an expression or not: it must be told.
            let _ = python(&(part.repeat(times) + "1"));
        }
        assert!(python(&(part.repeat(100_000) + "1")).is_err(), "{part}");
    }
    assert_eq!(python(&("-".repeat(500) + "1")), Ok(Value::Int(1)));
}
