//! How a knob is moved: one axis at a time, one step at a time.

use crate::task::{Entity, Knob, KnobId};

use super::ownership::Role;

/// What an agent does with one axis in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// To the next smaller value.
    Down,
    /// Nowhere.
    Stay,
    /// To the next larger value.
    Up,
}

impl Move {
    /// Every move, in the order of an actor's outputs.
    pub const ALL: [Self; 3] = [Self::Down, Self::Stay, Self::Up];
}

/// One direction in which a knob can be moved.
///
/// A split into `n` loops has an axis for each loop but the outermost, which the others imply: its values are far
/// apart in the knob's list, and near each other in what they do. A number has one axis, in the order of its values.
/// Both clamp at their ends, because the largest tile is no neighbour of the smallest. What has no order (annotations,
/// orders of axes, names) has one axis that wraps: every value is two moves from every third, and none is an end.
#[derive(Clone, Debug)]
pub struct Axis {
    /// The knob that moves.
    pub knob: KnobId,
    /// Who moves it.
    pub owner: Role,
    down: Vec<u32>,
    up: Vec<u32>,
    place: Vec<f32>,
}

impl Axis {
    /// The axes of a knob; none where it has one value.
    pub fn of_knob(knob: &Knob, id: KnobId, owner: Role) -> Vec<Self> {
        if knob.len() < 2 {
            return Vec::new();
        }
        let columns: Vec<Vec<f64>> = match &knob.entities()[0] {
            Entity::Split(_) => split_columns(knob),
            Entity::Other(_) => number_column(knob).into_iter().collect(),
            Entity::Reorder(_) | Entity::Annotate(_) => Vec::new(),
        };
        if columns.is_empty() {
            return vec![Self::wrapping(knob.len(), id, owner)];
        }
        (0..columns.len())
            .map(|axis| Self::clamping(&columns, axis, id, owner))
            .collect()
    }

    /// Where a move leads from a value; the value itself at an end.
    pub fn moved(&self, value: u32, step: Move) -> u32 {
        match step {
            Move::Down => self.down[value as usize],
            Move::Stay => value,
            Move::Up => self.up[value as usize],
        }
    }

    /// Where a value lies on the axis, from 0 (the smallest) to 1.
    pub fn place(&self, value: u32) -> f32 {
        self.place[value as usize]
    }

    fn wrapping(values: usize, knob: KnobId, owner: Role) -> Self {
        let n = values as u32;
        Self {
            knob,
            owner,
            down: (0..n).map(|v| (v + n - 1) % n).collect(),
            up: (0..n).map(|v| (v + 1) % n).collect(),
            place: (0..n).map(|v| v as f32 / (n - 1) as f32).collect(),
        }
    }

    /// An axis along `columns[axis]`; the other columns say which of several next values is the nearest.
    fn clamping(columns: &[Vec<f64>], axis: usize, knob: KnobId, owner: Role) -> Self {
        let along = &columns[axis];
        let distance = |a: usize, b: usize| -> f64 {
            let others = columns.iter().enumerate().filter(|&(c, _)| c != axis);
            others
                .map(|(_, column)| (column[a] - column[b]).abs())
                .sum()
        };
        let next = |from: usize, up: bool| -> u32 {
            (0..along.len())
                .filter(|&to| {
                    if up {
                        along[to] > along[from]
                    } else {
                        along[to] < along[from]
                    }
                })
                .min_by(|&a, &b| {
                    let step = |to: usize| (along[to] - along[from]).abs();
                    let aside = |to: usize| distance(from, to);
                    (step(a) + aside(a))
                        .total_cmp(&(step(b) + aside(b)))
                        .then(a.cmp(&b))
                })
                .unwrap_or(from) as u32
        };
        let low = along.iter().copied().fold(f64::INFINITY, f64::min);
        let high = along.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self {
            knob,
            owner,
            down: (0..along.len()).map(|v| next(v, false)).collect(),
            up: (0..along.len()).map(|v| next(v, true)).collect(),
            place: along
                .iter()
                .map(|&x| {
                    if high > low {
                        ((x - low) / (high - low)) as f32
                    } else {
                        0.0
                    }
                })
                .collect(),
        }
    }
}

/// Binary logarithms of the loops' sizes, without the outermost and without those that never vary.
fn split_columns(knob: &Knob) -> Vec<Vec<f64>> {
    let sizes: Vec<&[i64]> = knob
        .entities()
        .iter()
        .map(|entity| match entity {
            Entity::Split(sizes) => sizes.as_slice(),
            _ => &[],
        })
        .collect();
    let loops = sizes.iter().map(|s| s.len()).min().unwrap_or(0);
    (usize::from(loops > 1)..loops)
        .map(|c| sizes.iter().map(|s| (s[c].max(1) as f64).log2()).collect())
        .filter(|column: &Vec<f64>| column.iter().any(|&x| x != column[0]))
        .collect()
}

/// The values' ranks, where all are numbers: steps go from value to value, whatever lies between.
fn number_column(knob: &Knob) -> Option<Vec<f64>> {
    let numbers: Vec<f64> = knob
        .entities()
        .iter()
        .map(|entity| match entity {
            Entity::Other(value) => value.as_f64().or_else(|| value.as_bool().map(f64::from)),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let mut sorted = numbers.clone();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let rank = |x: &f64| sorted.partition_point(|y| y < x) as f64;
    (sorted.len() > 1).then(|| numbers.iter().map(rank).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::KnobKind;
    use serde_json::json;

    fn axes(kind: KnobKind, values: Vec<serde_json::Value>) -> (Knob, Vec<Axis>) {
        let entities = values
            .iter()
            .map(|v| Entity::from_json(kind, v).unwrap())
            .collect();
        let knob = Knob::new("k", kind, entities).unwrap();
        let axes = Axis::of_knob(&knob, KnobId(0), Role::Mapping);
        (knob, axes)
    }

    #[test]
    fn a_split_moves_each_inner_loop_to_the_nearest_other_size() {
        // All splits of 8 into three loops.
        let values: Vec<_> = [
            (1, 1),
            (1, 2),
            (1, 4),
            (1, 8),
            (2, 1),
            (2, 2),
            (2, 4),
            (4, 1),
            (4, 2),
            (8, 1),
        ]
        .map(|(a, b)| json!([-1, a, b]))
        .to_vec();
        let (_, axes) = axes(KnobKind::Split, values);
        assert_eq!(axes.len(), 2);
        // From (2, 2): the first loop down to (1, 2), up to (4, 2).
        assert_eq!(axes[0].moved(5, Move::Down), 1);
        assert_eq!(axes[0].moved(5, Move::Up), 8);
        // The second down to (2, 1), up to (2, 4).
        assert_eq!(axes[1].moved(5, Move::Down), 4);
        assert_eq!(axes[1].moved(5, Move::Up), 6);
        // From (2, 4), nothing is larger in the first loop with the same second: (4, 2) is the nearest.
        assert_eq!(axes[0].moved(6, Move::Up), 8);
        assert_eq!(axes[0].moved(9, Move::Up), 9, "an end clamps");
        assert_eq!(axes[0].moved(5, Move::Stay), 5);
    }

    #[test]
    fn numbers_move_in_the_order_of_their_values_and_clamp() {
        let (_, axes) = axes(KnobKind::Other, vec![json!(64), json!(1), json!(8)]);
        assert_eq!(axes[0].moved(1, Move::Up), 2);
        assert_eq!(axes[0].moved(2, Move::Up), 0);
        assert_eq!(axes[0].moved(0, Move::Up), 0);
        assert_eq!([1, 2, 0].map(|v| axes[0].place(v)), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn what_has_no_order_wraps() {
        let values = vec![json!("a"), json!("b"), json!("c")];
        let (_, axes) = axes(KnobKind::Other, values);
        assert_eq!(axes[0].moved(0, Move::Down), 2);
        assert_eq!(axes[0].moved(2, Move::Up), 0);
    }

    #[test]
    fn a_knob_with_one_value_has_no_axis() {
        assert!(axes(KnobKind::Other, vec![json!(1)]).1.is_empty());
    }
}
