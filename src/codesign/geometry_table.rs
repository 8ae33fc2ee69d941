//! Which combinations of dimensions are geometries within limits.

use crate::vta::config::Geometry;

use super::geometries::{DIMENSIONS, Dimensions};

/// Number of dimensions.
const COUNT: usize = DIMENSIONS.len();
/// What stands for no geometry.
const NONE: u32 = u32::MAX;

/// Listed geometries by the digits of their knobs, one place for each combination: hardly one in thirty is a geometry,
/// and a search that draws at random asks of all.
#[derive(Debug)]
pub(super) struct GeometryTable {
    sizes: [usize; COUNT],
    listed: Vec<Geometry>,
    /// Positions in `listed`; the first dimension is the least significant, as in the index of a config space.
    places: Vec<u32>,
}

impl GeometryTable {
    /// The table of geometries; `values` has the values of each dimension, ascending, those of every geometry among them.
    pub fn new(listed: Vec<Geometry>, values: [&[usize]; COUNT]) -> Self {
        let sizes = values.map(<[usize]>::len);
        let mut table = Self {
            sizes,
            places: vec![NONE; sizes.iter().product()],
            listed,
        };
        for (position, geometry) in table.listed.iter().enumerate() {
            let dimensions = Dimensions::of(geometry).values();
            let digits: [u32; COUNT] = std::array::from_fn(|k| {
                values[k].partition_point(|&value| value < dimensions[k] as usize) as u32
            });
            let place = place(&sizes, &digits);
            table.places[place] = position as u32;
        }
        table
    }

    /// Number of combinations.
    pub const fn combinations(&self) -> u64 {
        self.places.len() as u64
    }

    /// Whether a combination, by its index, is a geometry.
    ///
    /// # Panics
    /// When the index is past the end.
    pub fn contains(&self, combination: u64) -> bool {
        self.places[combination as usize] != NONE
    }

    /// The geometry with these digits, if it is one.
    pub fn get(&self, digits: &[u32; COUNT]) -> Option<&Geometry> {
        let position = self.places[place(&self.sizes, digits)];
        self.listed.get(position as usize)
    }
}

fn place(sizes: &[usize; COUNT], digits: &[u32; COUNT]) -> usize {
    let digits = digits.iter().zip(sizes).rev();
    digits.fold(0, |place, (&digit, size)| place * size + digit as usize)
}
