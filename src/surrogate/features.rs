//! Knob features: a configuration as numbers, from its knobs alone.

use crate::task::{ConfigSpace, Entity, Knob};

use super::FeatureTable;

/// The numbers that each value of each knob stands for.
///
/// Sizes of splits enter by their binary logarithm, and so does any other knob whose values are all numbers from 1 up:
/// they are sizes, too. (Trees need only the order; the logarithm keeps distances meaningful for other models.) An order
/// enters by the place of each axis, an annotation and any other value that is no number by its position in the knob's
/// list. Knobs with one value and columns that never vary are left out.
#[derive(Clone, Debug)]
pub struct KnobFeatures {
    /// For each knob, for each of its values, its row of numbers (of equal length within a knob).
    rows: Vec<Vec<Vec<f64>>>,
    columns: usize,
}

impl KnobFeatures {
    /// The features of a space's knobs.
    pub fn new(space: &ConfigSpace) -> Self {
        let rows: Vec<_> = space.knobs().iter().map(knob_rows).collect();
        let columns = rows.iter().map(|knob| knob[0].len()).sum();
        Self { rows, columns }
    }

    /// Number of features.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// The lowest and the highest number of each feature.
    pub fn ranges(&self) -> Vec<(f64, f64)> {
        let mut ranges = Vec::with_capacity(self.columns);
        for knob in &self.rows {
            for c in 0..knob[0].len() {
                let column = knob.iter().map(|row| row[c]);
                let low = column.clone().fold(f64::INFINITY, f64::min);
                ranges.push((low, column.fold(f64::NEG_INFINITY, f64::max)));
            }
        }
        ranges
    }

    /// The feature rows of configurations, given by their digits.
    pub fn table<D: AsRef<[u32]>>(&self, configs: &[D]) -> FeatureTable {
        let rows = configs.len();
        let mut values = vec![0.0; rows * self.columns];
        for (r, digits) in configs.iter().enumerate() {
            let numbers = self
                .rows
                .iter()
                .zip(digits.as_ref())
                .flat_map(|(knob, &digit)| &knob[digit as usize]);
            for (c, &number) in numbers.enumerate() {
                values[c * rows + r] = number;
            }
        }
        FeatureTable {
            rows,
            columns: self.columns,
            values,
        }
    }
}

fn knob_rows(knob: &Knob) -> Vec<Vec<f64>> {
    let mut raw: Vec<Vec<f64>> = knob
        .entities()
        .iter()
        .enumerate()
        .map(|(position, entity)| entity_numbers(position, entity))
        .collect();
    let size =
        |entity: &Entity| matches!(entity, Entity::Other(value) if value.as_f64() >= Some(1.0));
    if knob.entities().iter().all(size) {
        raw.iter_mut()
            .flatten()
            .for_each(|number| *number = number.log2());
    }
    let width = raw.iter().map(Vec::len).max().unwrap_or(0);
    let at = |row: &[f64], c: usize| row.get(c).copied().unwrap_or(0.0);
    let varying: Vec<usize> = (0..width)
        .filter(|&c| raw.iter().any(|row| at(row, c) != at(&raw[0], c)))
        .collect();
    raw.iter()
        .map(|row| varying.iter().map(|&c| at(row, c)).collect())
        .collect()
}

fn entity_numbers(position: usize, entity: &Entity) -> Vec<f64> {
    match entity {
        // The outer size is -1 (implied by the rest): constant, so it drops out.
        Entity::Split(sizes) => sizes
            .iter()
            .map(|&size| (size.max(1) as f64).log2())
            .collect(),
        Entity::Reorder(order) => (0..order.len())
            .map(|axis| order.iter().position(|&a| a as usize == axis).unwrap_or(0) as f64)
            .collect(),
        Entity::Annotate(_) => vec![position as f64],
        Entity::Other(value) => vec![
            value
                .as_f64()
                .or_else(|| value.as_bool().map(f64::from))
                .unwrap_or(position as f64),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::KnobKind;

    #[test]
    fn ranges_are_those_of_all_values_of_each_knob() {
        let sizes = [1, 2, 4, 8].map(|size| Entity::Split(vec![-1, size]));
        let unrolled = [false, true].map(|value| Entity::Other(value.into()));
        let knobs = vec![
            Knob::new("tile_x", KnobKind::Split, sizes.to_vec()).unwrap(),
            Knob::new("unroll", KnobKind::Other, unrolled.to_vec()).unwrap(),
        ];
        let features = KnobFeatures::new(&ConfigSpace::new(knobs).unwrap());
        assert_eq!(features.ranges(), [(0.0, 3.0), (0.0, 1.0)]);
    }
}
