//! Which schedules of the template `conv2d_packed.vta` can be compiled and run, computed from shapes and tiles alone.
//!
//! The rules were fitted on five whole spaces of 3x3 and 1x1 convolutions (6,368 schedules) for BATCH = 1 and
//! BLOCK = 16 with the usual shift, bias and clip behind the convolution. They count elements and so hold for any BATCH,
//! BLOCK_IN and BLOCK_OUT: tests hold them against recorded spaces and records, and against programs that TVM lowers for
//! geometries of all shapes (`tests/draft`).

use super::config::{Geometry, Mem};

/// A convolution in packed layout; channels are counted in blocks of the geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedConv {
    /// Blocks of images: N / BATCH.
    pub batches: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Blocks of input channels.
    pub input_blocks: usize,
    /// Blocks of output channels.
    pub output_blocks: usize,
    /// Rows of the kernel.
    pub kernel_height: usize,
    /// Columns of the kernel.
    pub kernel_width: usize,
    /// Stride, the same along both axes.
    pub stride: usize,
    /// Zero rows and columns on each side.
    pub padding: usize,
}

/// What the knobs of `conv2d_packed.vta` choose; tiles of channels are counted in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedTiles {
    /// Output rows.
    pub h: usize,
    /// Output columns.
    pub w: usize,
    /// Blocks of input channels.
    pub ci: usize,
    /// Blocks of output channels.
    pub co: usize,
    /// Virtual threads along the output channels.
    pub oc_threads: usize,
    /// Virtual threads along the rows.
    pub h_threads: usize,
}

/// Why a schedule is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Virtual threads do not divide the tiles that they share; the copies then have a predicate.
    Threads,
    /// Virtual threads along both axes: TVM's lowering fails.
    BothThreads,
    /// Several input blocks at once, and padding on the innermost block but one.
    PaddedBlocks,
    /// Padding, and an input tile of one row or column: TVM matches no copy there.
    PaddedLine,
    /// Several input blocks at once, of a tile that is no two-dimensional pattern.
    LoadPattern,
    /// Several output blocks at once, of a tile that is no two-dimensional pattern.
    StorePattern,
    /// A tile, times the virtual threads, is larger than a buffer; or the micro-operations of its multiplication are.
    Capacity(Mem),
    /// Two micro-operations in a row would write the same accumulator.
    Conflict,
    /// Which products are with an inserted zero depends on two loops around a kernel of micro-operations.
    Condition,
    /// A virtual thread's rows do not lie side by side.
    Compact,
}

impl PackedTiles {
    /// Virtual threads that do not divide what they share, or that are along both axes.
    pub(super) fn refused_threads(
        &self,
        output_blocks: usize,
        out_height: usize,
    ) -> Option<Refusal> {
        if !(output_blocks / self.co).is_multiple_of(self.oc_threads)
            || !(out_height / self.h).is_multiple_of(self.h_threads)
        {
            return Some(Refusal::Threads);
        }
        (self.oc_threads > 1 && self.h_threads > 1).then_some(Refusal::BothThreads)
    }

    /// Several blocks of channels whose tiles (rows, columns) of the input are no two-dimensional pattern.
    pub(super) fn refused_load(
        &self,
        tile: (usize, usize),
        input: (usize, usize),
        blocks: usize,
        padded: bool,
    ) -> Option<Refusal> {
        if blocks == 1 {
            return None;
        }
        if padded {
            return Some(Refusal::PaddedBlocks);
        }
        // Whole columns of one channel block end where the next block's begin.
        (tile.0 != 1 && tile.1 != input.1 && tile.0 != input.0).then_some(Refusal::LoadPattern)
    }

    /// Several blocks of channels whose tiles of the output (rows, columns) are no two-dimensional pattern.
    pub(super) fn refused_store(&self, out: (usize, usize)) -> Option<Refusal> {
        let pattern = self.co == 1 || self.h == 1 || self.h == out.0 || self.w == out.1;
        (!pattern).then_some(Refusal::StorePattern)
    }
}

/// Elements of the input, weight and accumulator buffer, each a product of sizes, once for each virtual thread.
pub(super) fn elements<const N: usize>(needs: [[usize; N]; 3], threads: usize) -> [usize; 3] {
    needs.map(|sizes| sizes.into_iter().fold(threads, usize::saturating_mul))
}

/// The first buffer that has fewer elements than these of the input, weight and accumulator buffer.
pub(super) fn refused_capacity(geometry: &Geometry, elements: [usize; 3]) -> Option<Refusal> {
    let mut buffers = [Mem::Inp, Mem::Wgt, Mem::Acc].into_iter().zip(elements);
    let full = buffers.find(|(mem, needed)| *needed > geometry.depth(*mem));
    full.map(|(mem, _)| Refusal::Capacity(mem))
}

impl PackedConv {
    /// Rows of the output.
    pub const fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel_height) / self.stride + 1
    }

    /// Columns of the output.
    pub const fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel_width) / self.stride + 1
    }

    /// Rows and columns of the input that a tile reads.
    const fn in_tile(&self, tiles: &PackedTiles) -> (usize, usize) {
        (
            (tiles.h - 1) * self.stride + self.kernel_height,
            (tiles.w - 1) * self.stride + self.kernel_width,
        )
    }

    /// Elements that a schedule needs of the input, weight and accumulator buffer.
    ///
    /// # Panics
    /// When a tile is 0.
    pub fn elements(&self, tiles: &PackedTiles) -> [usize; 3] {
        self.elements_loading(tiles, tiles.ci)
    }

    /// The same for a tile that reads `loaded` blocks of input channels at once.
    fn elements_loading(&self, tiles: &PackedTiles, loaded: usize) -> [usize; 3] {
        let PackedTiles { h, w, ci, co, .. } = *tiles;
        let (in_h, in_w) = self.in_tile(tiles);
        let kernel = self.kernel_height * self.kernel_width;
        // The bias takes `co` accumulators.
        let needs = [[in_h, in_w, loaded], [kernel, ci, co], [h * w + 1, co, 1]];
        elements(needs, tiles.oc_threads * tiles.h_threads)
    }

    /// Why the schedule with these tiles is no program for `geometry`, or `None` if it is one.
    ///
    /// # Panics
    /// When a tile, a number of threads or the stride is 0, or the kernel is larger than the padded input.
    pub fn refusal(&self, geometry: &Geometry, tiles: &PackedTiles) -> Option<Refusal> {
        self.refusal_loading(geometry, tiles, tiles.ci)
    }

    /// The same for a tile that reads `loaded` blocks of input channels at once.
    pub(super) fn refusal_loading(
        &self,
        geometry: &Geometry,
        tiles: &PackedTiles,
        loaded: usize,
    ) -> Option<Refusal> {
        let out = (self.out_height(), self.out_width());
        let input = (self.height, self.width);
        let (in_h, in_w) = self.in_tile(tiles);
        if let Some(refusal) = tiles
            .refused_threads(self.output_blocks, out.0)
            .or_else(|| tiles.refused_load((in_h, in_w), input, loaded, self.padding > 0))
            .or_else(|| {
                let line = self.padding > 0 && (in_h == 1 || in_w == 1);
                line.then_some(Refusal::PaddedLine)
            })
            .or_else(|| tiles.refused_store(out))
            .or_else(|| refused_capacity(geometry, self.elements_loading(tiles, loaded)))
        {
            return Some(refusal);
        }
        // With fewer, an accumulator is written again before its last write is done.
        let [repeats, writes] = self.micro_operations(tiles);
        if repeats > 1 && writes < 3 {
            return Some(Refusal::Conflict);
        }
        if repeats.saturating_mul(writes) > geometry.depth(Mem::Uop) {
            return Some(Refusal::Capacity(Mem::Uop));
        }
        None
    }

    /// The micro-operations of a tile's multiplication: how often they go over the accumulators, and how many of these
    /// they write each time.
    ///
    /// Of the loops over input blocks, columns, the kernel's columns and rows, output blocks and rows, the first two that
    /// have more than one iteration are loops of the instruction; the others are written out.
    fn micro_operations(&self, tiles: &PackedTiles) -> [usize; 2] {
        let mut loops = [
            tiles.ci,
            tiles.w,
            self.kernel_width,
            self.kernel_height,
            tiles.co,
            tiles.h,
        ];
        let folded = loops.iter_mut().filter(|extent| **extent > 1).take(2);
        folded.for_each(|extent| *extent = 1);
        let [_, _, columns, rows, co, h] = loops;
        [columns * rows, co.saturating_mul(h)]
    }
}
