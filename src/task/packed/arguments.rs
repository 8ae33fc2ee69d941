//! Numbers in a task's arguments, which come from a log and can be anything.

use serde_json::Value;

/// No axis, factor or stride is longer in what the rules know; beyond, a record is damaged or something else.
pub(crate) const LONGEST: usize = 2048;

/// A list of numbers.
pub(super) fn numbers(value: &Value) -> Option<Vec<usize>> {
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    value.as_array()?.iter().map(number).collect()
}

/// The number that all of a list are; `None` when they differ or there is none.
pub(super) fn equal(value: &Value) -> Option<usize> {
    let numbers = numbers(value)?;
    let first = *numbers.first()?;
    numbers
        .iter()
        .all(|number| *number == first)
        .then_some(first)
}

/// Whether all lengths are ones that the rules know.
pub(super) fn within(lengths: &[usize]) -> bool {
    lengths.iter().all(|length| (1..=LONGEST).contains(length))
}
