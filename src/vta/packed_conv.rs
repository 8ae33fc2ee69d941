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

    /// Why the schedule with these tiles is no program for `geometry`, or `None` if it is one.
    ///
    /// # Panics
    /// When a tile, a number of threads or the stride is 0, or the kernel is larger than the padded input.
    pub fn refusal(&self, geometry: &Geometry, tiles: &PackedTiles) -> Option<Refusal> {
        let PackedTiles { h, w, ci, co, .. } = *tiles;
        let (out_height, out_width) = (self.out_height(), self.out_width());
        let threads = tiles.oc_threads * tiles.h_threads;
        if !(self.output_blocks / co).is_multiple_of(tiles.oc_threads)
            || !(out_height / h).is_multiple_of(tiles.h_threads)
        {
            return Some(Refusal::Threads);
        }
        if tiles.oc_threads > 1 && tiles.h_threads > 1 {
            return Some(Refusal::BothThreads);
        }
        let in_h = (h - 1) * self.stride + self.kernel_height;
        let in_w = (w - 1) * self.stride + self.kernel_width;
        if ci > 1 && self.padding > 0 {
            return Some(Refusal::PaddedBlocks);
        }
        if self.padding > 0 && (in_h == 1 || in_w == 1) {
            return Some(Refusal::PaddedLine);
        }
        // Whole columns of one channel block end where the next block's begin.
        if ci > 1 && in_h != 1 && in_w != self.width && in_h != self.height {
            return Some(Refusal::LoadPattern);
        }
        if co > 1 && h != 1 && h != out_height && w != out_width {
            return Some(Refusal::StorePattern);
        }
        // Every buffer is there once for each virtual thread; the bias takes `co` accumulators.
        let kernel = self.kernel_height * self.kernel_width;
        let needs = [
            (Mem::Inp, [in_h, in_w, ci]),
            (Mem::Wgt, [kernel, ci, co]),
            (Mem::Acc, [h * w + 1, co, 1]),
        ];
        let elements = |sizes: [usize; 3]| sizes.into_iter().fold(threads, usize::saturating_mul);
        let full = needs
            .iter()
            .find(|(mem, sizes)| elements(*sizes) > geometry.depth(*mem));
        if let Some(&(mem, _)) = full {
            return Some(Refusal::Capacity(mem));
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
