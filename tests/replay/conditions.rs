//! Conditions against Python's own `eval`, on random expressions.

use std::io::Write;
use std::process::Stdio;

use arco_tvm::seed::Seed;
use arco_tvm::task::{Condition, ConditionValue as Value};
use rand::{Rng, RngExt};
use serde_json::json;

use crate::support;

const NAMES: [&str; 4] = ["x", "y", "z", "kind"];

fn pick<'a>(rng: &mut impl Rng, words: &[&'a str]) -> &'a str {
    words[rng.random_range(0..words.len())]
}

/// A random expression; brackets are left out often enough that precedence matters.
fn expression(rng: &mut impl Rng, depth: u32) -> String {
    if depth == 0 {
        let atoms = [
            "x",
            "y",
            "z",
            "kind",
            "0",
            "1",
            "2",
            "7",
            "1024",
            "2.5",
            "True",
            "False",
            "None",
            "'float4'",
            "[1, 2, 4]",
            "y",
            "x",
        ];
        return pick(rng, &atoms).to_owned();
    }
    let mut part = || expression(rng, depth - 1);
    let (a, b, c) = (part(), part(), part());
    match rng.random_range(0..12) {
        0..=3 => {
            let operators = ["+", "-", "*", "/", "//", "%", "&", "|", "^", "<<", ">>"];
            format!("{a} {} {b}", pick(rng, &operators))
        }
        4..=6 => {
            let comparisons = ["<", "<=", ">", ">=", "==", "!=", "in", "not in"];
            let (first, second) = (pick(rng, &comparisons), pick(rng, &comparisons));
            format!("{a} {first} {b} {second} {c}")
        }
        7 => format!("{a} {} {b}", pick(rng, &["and", "or"])),
        8 => format!("not {a}"),
        9 => format!("({a})"),
        10 => format!("{}({a}, {b})", pick(rng, &["min", "max"])),
        _ => format!("-{a} if {b} else {c}"),
    }
}

const EVAL: &str = "
import json, sys, warnings
warnings.simplefilter('ignore')
for line in sys.stdin:
    case = json.loads(line)
    try:
        value = eval(case['text'], {'__builtins__': {'min': min, 'max': max}}, case['values'])
        print(json.dumps([repr(value)]))
    except Exception as error:
        print(json.dumps(None))
";

fn repr(value: &Value) -> String {
    match value {
        Value::None => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(int) => int.to_string(),
        // Every finite double has one shortest form; Python's exponents look different.
        Value::Float(float) => format!("float {:016x}", float.to_bits()),
        Value::Text(text) => format!("'{text}'"),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

/// Python's text, with floats as [`repr`] has them and tuples as lists.
fn canonical(python: &str) -> String {
    let list = python
        .replace(",)", ")")
        .replace('(', "[")
        .replace(')', "]");
    match python.parse::<f64>() {
        Ok(float) if python.contains(['.', 'e']) => repr(&Value::Float(float)),
        _ => list,
    }
}

#[test]
fn random_expressions_have_pythons_values() {
    let mut rng = Seed(11).stream("conditions");
    let values = [
        Value::Int(8),
        Value::Int(3),
        Value::Float(0.75),
        Value::Text("float4".to_owned()),
    ];
    let texts: Vec<String> = (0..4000).map(|i| expression(&mut rng, 1 + i % 3)).collect();
    let mut python = support::command(support::python())
        .args(["-c", EVAL])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let bound = json!({"x": 8, "y": 3, "z": 0.75, "kind": "float4"});
    let cases: Vec<String> = texts
        .iter()
        .map(|text| json!({"text": text, "values": bound}).to_string())
        .collect();
    let mut stdin = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all((cases.join("\n") + "\n").as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), texts.len());
    let mut compared = 0;
    for (text, line) in texts.iter().zip(said.lines()) {
        let expected: Option<[String; 1]> = serde_json::from_str(line).unwrap();
        let ours = Condition::parse(text, &NAMES).and_then(|condition| condition.value(&values));
        match (expected, ours) {
            (Some([expected]), Ok(ours)) => {
                // Lists of floats have no form of their own here.
                if !(expected.starts_with(['[', '(']) && expected.contains('.')) {
                    assert_eq!(repr(&ours), canonical(&expected), "{text}");
                }
                compared += 1;
            }
            (None, Err(_)) => compared += 1,
            // What conditions do not need: texts and lists are not added or repeated, and lists have no order.
            (Some(_), Err(error)) => {
                let known = [
                    "has no value",
                    "have no order",
                    "values have no order",
                    "too large",
                    "too wide",
                ];
                assert!(
                    known.iter().any(|known| error.reason.contains(known)),
                    "{text}: {error}"
                );
            }
            (None, Ok(ours)) => panic!("{text} has no value in Python, and {ours:?} here"),
        }
    }
    assert!(compared > texts.len() * 3 / 4, "{compared}");
}
