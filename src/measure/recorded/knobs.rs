//! The knobs of a space that is known by its configurations only.

use std::cmp::Ordering;

use crate::task::{Entity, Knob, KnobError};

/// Knobs with the values that occur, for each knob in the order in which they first occur.
///
/// `rows` are the values of each configuration, in the order of the knobs.
///
/// # Errors
/// When a knob has values of different kinds.
pub(super) fn knobs_that_occur<'a>(
    names: &[String],
    rows: impl Iterator<Item = &'a [Entity]>,
) -> Result<Vec<Knob>, KnobError> {
    let mut values: Vec<Vec<Entity>> = vec![Vec::new(); names.len()];
    for row in rows {
        for (known, value) in values.iter_mut().zip(row) {
            if !known.contains(value) {
                known.push(value.clone());
            }
        }
    }
    names
        .iter()
        .zip(values)
        .map(|(name, values)| match values.first() {
            Some(first) => Knob::new(name, first.kind(), values.clone()),
            None => Err(KnobError::Empty { name: name.clone() }),
        })
        .collect()
}

/// The same knobs with numbers and sizes in ascending order, as templates list them; other values stay where they are.
///
/// # Errors
/// Never: the values are those of knobs.
pub(super) fn sorted(knobs: Vec<Knob>) -> Result<Vec<Knob>, KnobError> {
    knobs
        .into_iter()
        .map(|knob| {
            let mut values = knob.entities().to_vec();
            if values.iter().all(has_size) {
                values.sort_by(by_size);
            }
            Knob::new(knob.name(), knob.kind(), values)
        })
        .collect()
}

fn has_size(entity: &Entity) -> bool {
    match entity {
        Entity::Split(_) => true,
        Entity::Other(value) => value.is_number(),
        Entity::Reorder(_) | Entity::Annotate(_) => false,
    }
}

fn by_size(a: &Entity, b: &Entity) -> Ordering {
    match (a, b) {
        (Entity::Split(a), Entity::Split(b)) => a.cmp(b),
        (Entity::Other(a), Entity::Other(b)) => {
            let number = |value: &serde_json::Value| value.as_f64().unwrap_or_default();
            number(a).total_cmp(&number(b))
        }
        _ => Ordering::Equal,
    }
}
