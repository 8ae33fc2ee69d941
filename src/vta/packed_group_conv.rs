//! Which schedules of the template `group_conv2d_packed.vta` can be compiled and run.
//!
//! The rules are those of the ungrouped template. What differs is how many blocks of input channels a tile of output
//! channels reads: as soon as it has channels of several groups, it needs all blocks between the first group's and the
//! last one's. Held against whole spaces that were compiled and run (`tests/data/vta_masks`).

use super::config::Geometry;
use super::packed_conv::{PackedConv, PackedTiles, Refusal};

/// A grouped convolution in packed layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedGroupConv {
    /// Its shape; blocks of channels are those of all groups.
    pub conv: PackedConv,
    /// Groups of channels; they divide both numbers of blocks.
    pub groups: usize,
}

impl PackedGroupConv {
    /// Why the schedule with these tiles is no program for `geometry`, or `None` if it is one (or nobody knows: a tile
    /// that begins in the middle of one group and ends in another is not judged by what it reads).
    ///
    /// # Panics
    /// When a tile, a number of threads, groups or the stride is 0, or the kernel is larger than the padded input.
    pub fn refusal(&self, geometry: &Geometry, tiles: &PackedTiles) -> Option<Refusal> {
        let outputs = self.conv.output_blocks / self.groups;
        let inputs = self.conv.input_blocks / self.groups;
        let spanned = if tiles.co.is_multiple_of(outputs) {
            tiles.co / outputs
        } else {
            1
        };
        let loaded = (spanned - 1) * inputs + tiles.ci;
        self.conv.refusal_loading(geometry, tiles, loaded)
    }
}
