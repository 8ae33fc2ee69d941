//! Which schedules of the template `conv2d_transpose_packed.vta` can be compiled and run.
//!
//! It is a convolution with stride 1 on data that zeros were put between, in which the products with a zero are left out
//! (`tvm-patches/vta/top/vta_conv2d_transpose.py`). Held against whole spaces that were compiled and run
//! (`tests/data/vta_masks`): none that runs is refused; some that do not run are not.

use super::config::Geometry;
use super::packed_conv::{PackedTiles, Refusal, elements, refused_capacity};

/// An accumulator may be written again by the third micro-operation after, not earlier.
const APART: usize = 3;

/// A transposed convolution in packed layout; channels are counted in blocks of the geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedTransposedConv {
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Blocks of output channels.
    pub output_blocks: usize,
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// Stride, the same along both axes.
    pub stride: usize,
    /// Rows and columns that are cut off on each side.
    pub padding: usize,
    /// Rows and columns that are added at the end.
    pub output_padding: usize,
}

impl PackedTransposedConv {
    /// Rows and columns of the output.
    pub const fn out(&self) -> (usize, usize) {
        (self.out_length(self.height), self.out_length(self.width))
    }

    const fn out_length(&self, length: usize) -> usize {
        (length - 1) * self.stride + self.kernel + self.output_padding - 2 * self.padding
    }

    /// Zeros in front of the data.
    const fn before(&self) -> usize {
        self.kernel - 1 - self.padding
    }

    /// Why the schedule with these tiles is no program for `geometry`, or `None` if it is one (or nobody knows).
    ///
    /// # Panics
    /// When a tile, a number of threads, the stride or the output is 0, or the padding is not smaller than the kernel.
    pub fn refusal(&self, geometry: &Geometry, tiles: &PackedTiles) -> Option<Refusal> {
        let PackedTiles { h, w, ci, co, .. } = *tiles;
        let threads = tiles.oc_threads * tiles.h_threads;
        let tile = (h - 1 + self.kernel, w - 1 + self.kernel);
        let padded = self.before() > 0 || self.output_padding > 0 || self.stride > 1;
        tiles
            .refused_threads(self.output_blocks, self.out().0)
            .or_else(|| tiles.refused_load(tile, (self.height, self.width), ci, padded))
            .or_else(|| tiles.refused_store(self.out()))
            .or_else(|| {
                let kernel = self.kernel * self.kernel;
                let needs = [[tile.0, tile.1, ci], [kernel, ci, co], [h * w + 1, co, 1]];
                refused_capacity(geometry, elements(needs, threads))
            })
            .or_else(|| self.refused_order(tiles, threads))
    }

    /// Whether the micro-operations that are written out write an accumulator too often, or cannot be written out.
    fn refused_order(&self, tiles: &PackedTiles, threads: usize) -> Option<Refusal> {
        let rows = written_out(tiles.h, self.stride, APART * self.stride);
        let columns = written_out(tiles.w, self.stride, self.stride);
        let known = |part: usize| part.is_multiple_of(self.stride);
        if !(known(rows) && known(columns)) {
            // Of the loops around it, a kernel of micro-operations can depend on one. Rows of two virtual threads
            // alternate, so the thread tells which they are.
            let (height, width) = self.out();
            let of_rows = !known(rows) && (height > tiles.h || tiles.h_threads > 1);
            let of_columns = !known(columns) && width > tiles.w;
            let of_thread = threads > 1 && (known(rows) || tiles.oc_threads > 1);
            let around = [of_rows, of_columns, of_thread];
            let around = around.into_iter().filter(|depends| *depends).count();
            return (around > 1).then_some(Refusal::Condition);
        }
        let axis = 0..self.kernel;
        let given = |index: usize| {
            (index + self.stride * self.kernel - self.before()).is_multiple_of(self.stride)
        };
        let mut last = [None; APART - 1];
        for column in 0..columns {
            for _ in axis.clone().filter(|offset| given(column + offset)) {
                for kernel_row in axis.clone() {
                    for row in (0..rows).filter(|row| given(row + kernel_row)) {
                        let written = Some((row, column));
                        if last.contains(&written) {
                            return Some(Refusal::Conflict);
                        }
                        last.rotate_left(1);
                        last[APART - 2] = written;
                    }
                }
            }
        }
        None
    }
}

/// How many rows or columns of a tile the template writes out: `_written_out` there.
fn written_out(tile: usize, step: usize, least: usize) -> usize {
    let parts = (1..=tile).filter(|part| tile.is_multiple_of(*part) && part.is_multiple_of(step));
    let mut largest = 1;
    for part in parts {
        largest = part;
        if part >= least {
            break;
        }
    }
    largest
}
