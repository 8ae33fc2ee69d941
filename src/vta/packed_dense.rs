//! Which schedules of the template `dense_packed.vta` can be compiled and run.
//!
//! Fitted on whole spaces that were compiled and run (`tests/data/vta_masks`).

use super::config::Geometry;
use super::packed_conv::{Refusal, elements, refused_capacity};

/// A dense layer in packed layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedDense {
    /// Blocks of output channels. How many there are of inputs matters to no rule: tiles divide them.
    pub output_blocks: usize,
}

/// What the knobs of `dense_packed.vta` choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseTiles {
    /// Blocks of rows.
    pub b: usize,
    /// Blocks of input channels.
    pub ci: usize,
    /// Blocks of output channels.
    pub co: usize,
    /// Virtual threads along the output channels.
    pub oc_threads: usize,
}

impl PackedDense {
    /// Why the schedule with these tiles is no program for `geometry`, or `None` if it is one.
    ///
    /// # Panics
    /// When a tile or the number of threads is 0.
    pub fn refusal(&self, geometry: &Geometry, tiles: &DenseTiles) -> Option<Refusal> {
        let DenseTiles { b, ci, co, .. } = *tiles;
        let threads = tiles.oc_threads;
        let parts = self.output_blocks / co;
        if !parts.is_multiple_of(threads) {
            return Some(Refusal::Threads);
        }
        // Parts of the threads alternate, and what is kept for a thread reaches from its first part to its last one: rows
        // of it are apart, and weights of the other thread's parts are loaded as well.
        let columns = if threads > 1 {
            (parts - threads + 1) * co
        } else {
            co
        };
        if columns != co && b > 1 {
            return Some(Refusal::Compact);
        }
        let needs = [[b, ci], [ci, columns], [b + 1, co]];
        refused_capacity(geometry, elements(needs, threads))
    }
}
