//! `arco-tvm asktell`: strategies for programs in any language.

mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use arco_tvm::asktell::{Answer, ConfigName, Session};
use arco_tvm::seed::Seed;
use arco_tvm::strategy::StrategyKind;
use serde_json::{Value, json};

/// Says a message and returns the answer.
fn say(session: &mut Session, message: &Value) -> Option<Answer> {
    session.line(1, &message.to_string()).unwrap()
}

fn asked(answer: Option<Answer>) -> Vec<ConfigName> {
    match answer {
        Some(Answer::Ask { configs }) => configs,
        other => panic!("{other:?}"),
    }
}

fn tell(configs: &[ConfigName], cost: impl Fn(&ConfigName) -> Value, left: usize) -> Value {
    let results: Vec<Value> = configs
        .iter()
        .map(|config| {
            let time = cost(config);
            let status = if time.is_null() { "runtime" } else { "ok" };
            json!({"config": config, "status": status, "time": time, "cost_s": 0.1, "new": true})
        })
        .collect();
    json!({"type": "tell", "results": results, "used": 0, "left": left})
}

fn billion() -> Value {
    let params: Vec<Value> = (0..9)
        .map(|p| json!({"name": format!("p{p}"), "values": (0..10).collect::<Vec<u32>>()}))
        .collect();
    json!({"type": "space", "protocol": 1, "name": "large", "budget": 64, "params": params,
        "constraints": ["p0 + p1 <= 9", "2 <= p2 < 8"]})
}

#[test]
fn a_space_with_a_list_is_searched_by_places_in_the_list() {
    for strategy in StrategyKind::ALL {
        let space = json!({"type": "space", "protocol": 1, "name": "listed", "seed": 7, "budget": 6, "n_configs": 4,
            "objective": "time", "unit": "ms", "direction": "min",
            "params": [{"name": "x", "values": [16, 32]}, {"name": "y", "values": ["a", "b", "c"]}],
            "constraints": ["x > 1"], "configs": [[1, 2], [0, 0], [1, 0], [0, 1]]});
        let mut session = Session::new(strategy, None);
        let mut seen = BTreeSet::new();
        let mut answer = say(&mut session, &space);
        while let Some(Answer::Ask { configs }) = answer {
            for config in &configs {
                let ConfigName::Index(place) = config else {
                    panic!("{config:?}");
                };
                assert!(seen.insert(*place), "{strategy} asks twice");
            }
            let left = 6 - seen.len();
            answer = say(&mut session, &tell(&configs, |_| json!(1.0), left));
        }
        assert_eq!(answer, Some(Answer::Done), "{strategy}");
        assert_eq!(seen, BTreeSet::from([0, 1, 2, 3]), "{strategy}");
    }
}

#[test]
fn a_space_of_a_billion_is_searched_within_its_constraints() {
    for strategy in StrategyKind::ALL {
        let mut session = Session::new(strategy, Some(Seed(1)));
        let mut answer = say(&mut session, &billion());
        let mut found = 0;
        while let (Some(Answer::Ask { configs }), true) = (&answer, found < 64) {
            for config in configs {
                let ConfigName::Digits(digits) = config else {
                    panic!("{config:?}");
                };
                assert!(
                    digits[0] + digits[1] <= 9 && (2..8).contains(&digits[2]),
                    "{digits:?}"
                );
                found += 1;
            }
            let cost = |config: &ConfigName| match config {
                ConfigName::Digits(digits) if digits[8] > 0 => json!(1 + digits[4]),
                _ => Value::Null,
            };
            answer = say(&mut session, &tell(configs, cost, 64 - found));
        }
        assert_eq!(found, 64, "{strategy}");
        // Nothing is left; a program that answers the next question with nothing ends it.
        let end = say(&mut session, &tell(&[], |_| Value::Null, 0));
        assert_eq!(end, Some(Answer::Done));
    }
}

#[test]
fn the_same_seed_asks_the_same_and_the_command_lines_seed_wins() {
    let first = |seed: Option<u64>, told: u64| {
        let mut space = billion();
        space["seed"] = json!(told);
        let mut session = Session::new(StrategyKind::Random, seed.map(Seed));
        asked(say(&mut session, &space))
    };
    assert_eq!(first(None, 5), first(None, 5));
    assert_ne!(first(None, 5), first(None, 6));
    assert_eq!(first(Some(5), 6), first(None, 5));
}

#[test]
fn what_is_maximised_is_maximised() {
    let space = json!({"type": "space", "direction": "max", "budget": 200,
        "params": [{"name": "x", "values": (0..200).collect::<Vec<u32>>()}, {"name": "y", "values": (0..200).collect::<Vec<u32>>()}]});
    let best_of = |direction: &str| {
        let mut space = space.clone();
        space["direction"] = json!(direction);
        let mut session = Session::new(StrategyKind::Gbt16, Some(Seed(3)));
        let mut configs = asked(say(&mut session, &space));
        let mut values = Vec::new();
        while values.len() < 192 {
            let value = |config: &ConfigName| match config {
                ConfigName::Digits(digits) => f64::from(1 + digits[0] + digits[1]),
                ConfigName::Index(_) => unreachable!(),
            };
            values.extend(configs.iter().map(value));
            let left = 200 - values.len();
            configs = asked(say(
                &mut session,
                &tell(&configs, |c| json!(value(c)), left),
            ));
        }
        values[96..].iter().sum::<f64>() / (values.len() - 96) as f64
    };
    assert!(best_of("max") > 330.0, "{}", best_of("max"));
    assert!(best_of("min") < 70.0, "{}", best_of("min"));
}

#[test]
fn messages_that_are_none_say_what_is_wrong() {
    let params = json!([{"name": "x", "values": [1, 2]}]);
    for (lines, expected) in [
        (vec![json!("hello")], "line 1 is no message of the protocol"),
        (vec![json!({"type": "sing"})], "unknown variant `sing`"),
        (
            vec![json!({"type": "tell", "results": []})],
            "`tell` where `space` is expected",
        ),
        (
            vec![json!({"type": "space", "protocol": 2, "params": params})],
            "protocol version 2; only 1 is spoken",
        ),
        (
            vec![json!({"type": "space", "params": [{"name": "x", "values": []}]})],
            "knob `x` has no value to choose from",
        ),
        (
            vec![json!({"type": "space", "params": params, "constraints": ["x >"]})],
            "condition `x >`: it ends too early",
        ),
        (
            vec![json!({"type": "space", "params": params, "configs": [[0], [2]]})],
            "configuration 1 is not one of the parameters",
        ),
        (
            vec![
                json!({"type": "space", "params": params}),
                json!({"type": "tell", "results": [{"config": [9], "status": "ok", "time": 1.0}]}),
            ],
            "a result names the configuration [9], which the space does not have",
        ),
        (
            vec![json!({"type": "space", "params": params}); 2],
            "`space` where `tell` is expected",
        ),
    ] {
        let mut session = Session::new(StrategyKind::Random, None);
        let error = lines
            .iter()
            .find_map(|line| session.line(1, &line.to_string()).err())
            .unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn empty_spaces_end_at_once() {
    for space in [
        json!({"type": "space", "params": [{"name": "x", "values": [1, 2]}], "configs": []}),
        json!({"type": "space", "params": [{"name": "x", "values": [1, 2]}], "constraints": ["x > 2"]}),
    ] {
        for strategy in StrategyKind::ALL {
            let mut session = Session::new(strategy, None);
            assert_eq!(say(&mut session, &space), Some(Answer::Done), "{strategy}");
        }
    }
}

#[test]
fn the_program_speaks_the_protocol_over_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = support::arco_tvm(folder.path())
        .args(["asktell", "--strategy", "grid"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = [
        r#"{"type":"space","protocol":1,"params":[{"name":"x","values":[1,2,3]}],"constraints":["x != 2"]}"#,
        r#"{"type":"tell","results":[{"config":[0],"status":"ok","time":2.0},{"config":[2],"status":"compile","time":"InvalidConfig"}]}"#,
        r#"{"type":"stop","reason":"budget"}"#,
    ];
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.join("\n").as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "{\"type\":\"ask\",\"configs\":[[0],[2]]}\n{\"type\":\"done\"}\n"
    );
    assert!(output.status.success());
}

#[test]
fn the_python_example_of_the_guide_finds_settings() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide/ask_tell.py");
    let output = Command::new(support::python())
        .args([example, env!("CARGO_BIN_EXE_arco-tvm"), "40"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("best of 40: ") && said.contains("'level':"),
        "{said}"
    );
}
