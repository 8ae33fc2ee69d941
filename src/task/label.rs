//! A short name for a task, for people.

use serde_json::Value;

use super::Workload;

impl Workload {
    /// The template and the shapes of its first two tensors: `conv2d_NCHWc.x86 1x64x56x56 64x64x3x3`.
    pub fn label(&self) -> String {
        let tensors = self.args.as_array().into_iter().flatten().filter_map(shape);
        std::iter::once(self.name.clone())
            .chain(tensors.take(2))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The shape of `["TENSOR", [1, 64, 56, 56], "float32"]`.
fn shape(argument: &Value) -> Option<String> {
    (argument[0] == "TENSOR").then_some(())?;
    let lengths: Vec<String> = argument[1]
        .as_array()?
        .iter()
        .map(Value::to_string)
        .collect();
    Some(lengths.join("x"))
}
