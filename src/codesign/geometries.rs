//! Every geometry within limits: few enough to be listed.

use std::ops::RangeInclusive;

use crate::vta::config::{Geometry, VtaConfig};

use super::limits::Limits;

/// log2 of the fields that the hardware agent chooses; widths, bus and clock are the base's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dimensions {
    /// BATCH.
    pub batch: u32,
    /// BLOCK_IN.
    pub block_in: u32,
    /// BLOCK_OUT.
    pub block_out: u32,
    /// Bytes of the micro-operation buffer.
    pub uop: u32,
    /// Bytes of the input buffer.
    pub inp: u32,
    /// Bytes of the weight buffer.
    pub wgt: u32,
    /// Bytes of the accumulator buffer; the output buffer follows from it.
    pub acc: u32,
}

/// Names of the dimensions, in the order of [`Dimensions::values`]; as knobs they belong to the hardware agent.
pub const DIMENSIONS: [&str; 7] = [
    "log_batch",
    "log_block_in",
    "log_block_out",
    "log_uop_buff",
    "log_inp_buff",
    "log_wgt_buff",
    "log_acc_buff",
];

/// Places of the buffers among them: of micro-operations, inputs, weights, accumulators.
const BUFFERS: [usize; 4] = [3, 4, 5, 6];

/// What is listed of each: from blocks of 2 x 2 to 128 x 128, up to 64 images at once, and from buffers that hold hardly a
/// tile to more than any of the boards has.
const RANGES: [RangeInclusive<u32>; 7] = [0..=6, 1..=7, 1..=7, 13..=15, 12..=19, 13..=21, 13..=19];

impl Dimensions {
    /// Those of a geometry.
    pub fn of(geometry: &Geometry) -> Self {
        let config = geometry.to_config();
        Self {
            batch: geometry.log_batch(),
            block_in: geometry.log_block_in(),
            block_out: geometry.log_block_out(),
            uop: config.log_uop_buff_size,
            inp: config.log_inp_buff_size,
            wgt: config.log_wgt_buff_size,
            acc: config.log_acc_buff_size,
        }
    }

    /// As numbers, in the order of [`DIMENSIONS`].
    pub const fn values(&self) -> [u32; 7] {
        [
            self.batch,
            self.block_in,
            self.block_out,
            self.uop,
            self.inp,
            self.wgt,
            self.acc,
        ]
    }

    /// The inverse of [`Self::values`].
    pub const fn from_values(values: [u32; 7]) -> Self {
        let [batch, block_in, block_out, uop, inp, wgt, acc] = values;
        Self {
            batch,
            block_in,
            block_out,
            uop,
            inp,
            wgt,
            acc,
        }
    }

    /// The geometry with these dimensions and everything else as `base` has it; `None` where a validity rule says no.
    pub fn on(&self, base: &Geometry) -> Option<Geometry> {
        let config = VtaConfig {
            log_batch: self.batch,
            log_block: self.block_in,
            log_block_in: None,
            log_block_out: (self.block_out != self.block_in).then_some(self.block_out),
            log_uop_buff_size: self.uop,
            log_inp_buff_size: self.inp,
            log_wgt_buff_size: self.wgt,
            log_acc_buff_size: self.acc,
            ..base.to_config()
        };
        Geometry::new(&config).ok()
    }

    /// Whether every buffer is at least as large as the other's, with the same matrix unit.
    fn covers(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.values(), other.values());
        ours[..3] == theirs[..3] && (3..7).all(|i| ours[i] >= theirs[i])
    }
}

/// The geometries that keep to all rules and limits, in a fixed order.
#[derive(Clone, Debug)]
pub struct GeometrySpace {
    base: Geometry,
    limits: Limits,
    all: Vec<Geometry>,
}

impl GeometrySpace {
    /// Lists them. Widths, bus, burst, clock and target are those of `base`.
    pub fn new(base: Geometry, limits: Limits) -> Self {
        let mut all = Vec::new();
        each(&RANGES, &mut [0; 7], 0, &mut |values| {
            let dimensions = Dimensions::from_values(*values);
            if !limits.unequal_blocks && dimensions.block_in != dimensions.block_out {
                return;
            }
            all.extend(dimensions.on(&base).filter(|g| limits.allow(g)));
        });
        Self { base, limits, all }
    }

    /// What all of them share.
    pub const fn base(&self) -> &Geometry {
        &self.base
    }

    /// What all of them keep to.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// All of them.
    pub fn all(&self) -> &[Geometry] {
        &self.all
    }

    /// Those that no other covers: none has the same matrix unit and larger buffers.
    ///
    /// A larger buffer takes every schedule that a smaller one takes, and the program is the same: so among these is
    /// the fastest of all.
    pub fn largest(&self) -> Vec<Geometry> {
        self.with_no_larger(&BUFFERS)
    }

    /// The same among those with the same matrix unit and the same micro-operation buffer, whose programs are the same.
    pub fn largest_of_each_core(&self) -> Vec<Geometry> {
        self.with_no_larger(&BUFFERS[1..])
    }

    /// Those of which none of these buffers could be larger, whatever the others are.
    fn with_no_larger(&self, buffers: &[usize]) -> Vec<Geometry> {
        let all: Vec<Dimensions> = self.all.iter().map(Dimensions::of).collect();
        let mut largest = Vec::new();
        for (i, own) in all.iter().enumerate() {
            // Neighbours suffice: limits and rules that allow a larger one allow everything between.
            let covered = buffers.iter().any(|&buffer| {
                let mut values = own.values();
                values[buffer] += 1;
                all.binary_search(&Dimensions::from_values(values)).is_ok()
            });
            if !covered {
                largest.push(self.all[i]);
            }
        }
        largest
    }

    /// Whether `geometry` covers `other`: the same matrix unit, and no buffer smaller.
    pub fn covers(geometry: &Geometry, other: &Geometry) -> bool {
        Dimensions::of(geometry).covers(&Dimensions::of(other))
    }
}

/// Every combination of values, in lexicographic order.
fn each(
    ranges: &[RangeInclusive<u32>; 7],
    values: &mut [u32; 7],
    position: usize,
    visit: &mut impl FnMut(&[u32; 7]),
) {
    match ranges.get(position) {
        None => visit(values),
        Some(range) => {
            for value in range.clone() {
                values[position] = value;
                each(ranges, values, position + 1, visit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_geometry_keeps_to_limits_and_rules_and_the_default_is_among_them() {
        let default = Geometry::default();
        let limits = Limits::of(&default);
        let space = GeometrySpace::new(default, limits.clone());
        assert!(space.all().contains(&default));
        assert!(space.all().iter().all(|g| limits.allow(g)));
        let names: std::collections::HashSet<String> =
            space.all().iter().map(Geometry::name).collect();
        assert_eq!(names.len(), space.all().len(), "each once");
    }

    #[test]
    fn the_largest_cover_every_other_and_not_each_other() {
        let default = Geometry::default();
        let mut limits = Limits::of(&default);
        limits.log_batch = 2;
        limits.unequal_blocks = true;
        let space = GeometrySpace::new(default, limits);
        let largest = space.largest();
        for geometry in space.all() {
            assert!(largest.iter().any(|l| GeometrySpace::covers(l, geometry)));
        }
        for a in &largest {
            let others = largest.iter().filter(|&b| b != a);
            assert!(!others.clone().any(|b| GeometrySpace::covers(b, a)));
        }
    }

    #[test]
    fn every_core_has_a_geometry_that_covers_each_other_of_it() {
        let space = GeometrySpace::new(Geometry::default(), Limits::of(&Geometry::default()));
        let largest = space.largest_of_each_core();
        for geometry in space.all() {
            let uop = |g: &Geometry| Dimensions::of(g).uop;
            let covers =
                |l: &Geometry| uop(l) == uop(geometry) && GeometrySpace::covers(l, geometry);
            assert!(largest.iter().any(covers), "{}", geometry.name());
        }
    }

    #[test]
    fn dimensions_and_geometry_lead_to_each_other() {
        let geometry: Geometry = "2x8x32_i8w8a32_14_15_17_16_bus128_b256_c333"
            .parse()
            .unwrap();
        let dimensions = Dimensions::of(&geometry);
        assert_eq!(dimensions.values(), [1, 3, 5, 14, 15, 17, 16]);
        assert_eq!(dimensions.on(&geometry), Some(geometry));
    }
}
