//! What an accelerator may cost.

use crate::vta::config::Geometry;
use crate::vta::resources::{Budget, Mapping, resources};

/// Share of a board's estimated resources up to which they cost nothing.
const COMFORTABLE: f64 = 0.9;

/// Hard limits: a geometry that breaks one is never looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Most multiply-accumulate units.
    pub macs: Option<u64>,
    /// Most bits of all buffers.
    pub sram_bits: Option<u64>,
    /// An FPGA in which it must fit, by the estimates of [`Budget::fit`].
    pub board: Option<Budget>,
    /// log2 of the most images that are computed at once.
    pub log_batch: u32,
    /// Whether BLOCK_IN and BLOCK_OUT may differ.
    pub unequal_blocks: bool,
}

impl Limits {
    /// The multipliers and the buffer bits of a geometry, for one image at a time.
    pub fn of(geometry: &Geometry) -> Self {
        let cost = Cost::of(geometry);
        Self {
            macs: Some(cost.macs),
            sram_bits: Some(cost.sram_bits),
            board: None,
            log_batch: 0,
            unequal_blocks: false,
        }
    }

    /// Whether a geometry keeps to them.
    pub fn allow(&self, geometry: &Geometry) -> bool {
        let cost = Cost::of(geometry);
        self.macs.is_none_or(|most| cost.macs <= most)
            && self.sram_bits.is_none_or(|most| cost.sram_bits <= most)
            && geometry.log_batch() <= self.log_batch
            && (self.unequal_blocks || geometry.block_in() == geometry.block_out())
            && self.board.is_none_or(|board| board.fit(geometry).fits())
    }

    /// The soft part: how far the estimates that synthesis decides come near to what a board has, from 0 up. Beyond
    /// nine tenths of it a design gets harder to route, and the clock is not what it was.
    pub fn pressure(&self, geometry: &Geometry) -> f64 {
        let Some(board) = self.board else { return 0.0 };
        let needs = board.fit(geometry).resources;
        let share = |needed: u64, there: u64| needed as f64 / there.max(1) as f64;
        let shares = [
            share(needs.mac_lut_estimate, board.lut),
            share(needs.bram36_estimate, board.bram36 + 8 * board.uram),
        ];
        shares
            .map(|share| (share - COMFORTABLE).max(0.0))
            .iter()
            .sum()
    }

    /// `at most 256 MACs, 480 KiB of buffers, fits xc7z020`.
    pub fn describe(&self) -> String {
        let mut parts = Vec::new();
        if let Some(macs) = self.macs {
            parts.push(format!("at most {macs} MACs"));
        }
        if let Some(bits) = self.sram_bits {
            parts.push(format!("at most {} KiB of buffers", bits / (8 * 1024)));
        }
        if let Some(board) = self.board {
            parts.push(format!("fits {} ({})", board.board, board.device));
        }
        if parts.is_empty() {
            parts.push("no limit".to_owned());
        }
        parts.join(", ")
    }
}

/// What a geometry costs, as far as it can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Multiply-accumulate units.
    pub macs: u64,
    /// Bits of all buffers.
    pub sram_bits: u64,
    /// Lanes of the vector unit.
    pub alu_lanes: u64,
    /// Estimate of 36 Kbit block RAMs.
    pub bram36: u64,
}

impl Cost {
    /// That of a geometry.
    pub fn of(geometry: &Geometry) -> Self {
        let needs = resources(geometry, Mapping::Single);
        Self {
            macs: needs.macs,
            sram_bits: needs.buffer_bits,
            alu_lanes: needs.alu_lanes,
            bram36: needs.bram36_estimate,
        }
    }

    /// One number for the area: the mean of multipliers and buffer bits, each in units of `reference`'s.
    ///
    /// There is no synthesis behind it: it weighs what can be counted.
    pub fn area(&self, reference: &Self) -> f64 {
        let ratio = |ours: u64, theirs: u64| ours as f64 / theirs as f64;
        0.5 * (ratio(self.macs, reference.macs) + ratio(self.sram_bits, reference.sram_bits))
    }

    /// Whether no resource is more than the other's.
    pub const fn within(&self, other: &Self) -> bool {
        self.macs <= other.macs && self.sram_bits <= other.sram_bits
    }
}

/// Whether the timing model was compared with the hardware's own simulation for geometries of this kind: one row an
/// element and equal blocks.
pub fn timing_verified(geometry: &Geometry) -> bool {
    geometry.batch() == 1 && geometry.block_in() == geometry.block_out()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_a_geometry_allow_it_and_nothing_larger() {
        let default = Geometry::default();
        let limits = Limits::of(&default);
        assert!(limits.allow(&default));
        assert!(!limits.allow(&"1x32_i8w8a32_15_15_18_17".parse().unwrap()));
        let tighter = Limits {
            sram_bits: limits.sram_bits.map(|bits| bits - 1),
            ..limits
        };
        assert!(!tighter.allow(&default));
    }

    #[test]
    fn batches_and_unequal_blocks_are_asked_for() {
        let (batched, unequal): (Geometry, Geometry) = (
            "4x8_i8w8a32_15_15_18_17".parse().unwrap(),
            "1x8x32_i8w8a32_15_15_18_17".parse().unwrap(),
        );
        let mut limits = Limits::of(&Geometry::default());
        assert!(!limits.allow(&batched) && !limits.allow(&unequal));
        limits.log_batch = 2;
        limits.unequal_blocks = true;
        assert!(limits.allow(&batched) && limits.allow(&unequal));
        assert!(!timing_verified(&batched) && !timing_verified(&unequal));
        assert!(timing_verified(&Geometry::default()));
    }

    #[test]
    fn the_default_geometry_has_area_1() {
        let cost = Cost::of(&Geometry::default());
        assert_eq!(cost.area(&cost), 1.0);
        assert_eq!(cost.sram_bits, 8 * 480 * 1024);
    }
}
