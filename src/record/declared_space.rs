//! A task's whole space in a comment of a log: AutoTVM's readers pass over lines that start with `#`.
//!
//! A log knows a space by the configurations in it. Where that is only a sample, the values of the knobs, their order and
//! AutoTVM's numbers cannot be told from it; `arco-tvm record` declares them.

use serde_json::{Value, json};

use crate::task::{ConfigSpace, Entity, Knob, KnobKind, Workload};

use super::python_json::dumps;

/// What such a comment starts with.
const PREFIX: &str = "# arco-tvm space ";

/// A task and all values of its knobs.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredSpace {
    /// The task.
    pub workload: Workload,
    /// Its knobs, in definition order.
    pub knobs: Vec<Knob>,
}

impl DeclaredSpace {
    /// The declaration of a task's space.
    pub fn new(workload: &Workload, space: &ConfigSpace) -> Self {
        Self {
            workload: workload.clone(),
            knobs: space.knobs().to_vec(),
        }
    }

    /// The comment, without the line break.
    pub fn to_line(&self) -> String {
        let Workload { target, name, args } = &self.workload;
        let knobs: Vec<Value> = self
            .knobs
            .iter()
            .map(|knob| {
                let values: Vec<Value> = knob.entities().iter().map(Entity::to_json).collect();
                json!([knob.name(), knob.kind().tag(), values])
            })
            .collect();
        let space = json!({"input": [target, name, args, {}], "knobs": knobs});
        format!("{PREFIX}{}", dumps(&space))
    }

    /// Reads a line; `None` when it is no such comment, or a damaged one.
    pub fn from_line(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?.strip_prefix(PREFIX)?;
        let space: Value = serde_json::from_str(text).ok()?;
        let input = &space["input"];
        let workload = Workload {
            target: input[0].as_str()?.to_owned(),
            name: input[1].as_str()?.to_owned(),
            args: input.get(2)?.clone(),
        };
        let knobs = space["knobs"].as_array()?.iter().map(knob);
        Some(Self {
            workload,
            knobs: knobs.collect::<Option<_>>()?,
        })
    }
}

fn knob(item: &Value) -> Option<Knob> {
    let kind = KnobKind::from_tag(item[1].as_str()?)?;
    let values = item[2].as_array()?;
    let values = values
        .iter()
        .map(|value| Entity::from_json(kind, value).ok())
        .collect::<Option<Vec<_>>>()?;
    Knob::new(item[0].as_str()?, kind, values).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_survives_its_line_and_a_damaged_one_is_none() {
        let knobs = vec![
            Knob::new(
                "tile_x",
                KnobKind::Split,
                vec![Entity::Split(vec![-1, 1]), Entity::Split(vec![-1, 8])],
            )
            .unwrap(),
            Knob::new(
                "unroll",
                KnobKind::Other,
                vec![Entity::Other(json!(true)), Entity::Other(json!(1500))],
            )
            .unwrap(),
        ];
        let declared = DeclaredSpace {
            workload: Workload {
                target: "llvm -keys=cpu".to_owned(),
                name: "dense_nopack.x86".to_owned(),
                args: json!([["TENSOR", [1, 64], "float32"], null]),
            },
            knobs,
        };
        let line = declared.to_line();
        assert!(line.starts_with('#') && !line.contains('\n'));
        assert_eq!(DeclaredSpace::from_line(line.as_bytes()), Some(declared));
        for cut in [0, 5, 20, line.len() / 2, line.len() - 1] {
            assert_eq!(DeclaredSpace::from_line(&line.as_bytes()[..cut]), None);
        }
    }
}
