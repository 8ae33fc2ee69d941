//! A task's arguments: shapes, strides, element types.

use serde_json::Value;

/// A tensor that a template takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tensor {
    /// Length of each axis.
    pub shape: Vec<u64>,
    /// Bytes of an element.
    pub bytes: u64,
}

/// The tensor at a place; `None` if there is none of a known size.
pub(super) fn tensor(args: &Value, place: usize) -> Option<Tensor> {
    let argument = args.get(place)?;
    (argument.get(0)? == "TENSOR").then_some(())?;
    Some(Tensor {
        shape: numbers(argument.get(1)?)?,
        bytes: bytes(argument.get(2)?.as_str()?)?,
    })
}

/// The numbers at a place, `N` of them; one number stands for all.
pub(super) fn steps<const N: usize>(args: &Value, place: usize) -> Option<[u64; N]> {
    let argument = args.get(place)?;
    match argument.as_u64() {
        Some(number) => Some([number; N]),
        None => numbers(argument)?.try_into().ok(),
    }
}

fn numbers(value: &Value) -> Option<Vec<u64>> {
    value.as_array()?.iter().map(Value::as_u64).collect()
}

/// Bytes of a type without lanes: `float32`, `int8`.
fn bytes(dtype: &str) -> Option<u64> {
    let digits = dtype.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let bits: u64 = digits.parse().ok()?;
    (bits >= 8).then_some(bits / 8)
}
