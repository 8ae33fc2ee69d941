//! The loop nest of `conv2d_packed.vta` as calls of the runtime.
//!
//! One tile of the output after the other: rows, then output channels, then columns innermost. Of each tile the accumulators are cleared; data and weights are loaded, and multiplied, one tile of input channels after the other; the
//! epilogue follows, then the store. Virtual threads do each of these steps in turn, on buffers of their own.
//!
//! Tokens are where TVM's `CoProcSync` puts them:
//!
//! - load -> compute around each multiplication;
//! - compute -> load once the accumulators are cleared and after each multiplication, so that one is over at the end of the
//!   input channels. With a single tile of these there is no loop, and nothing over;
//! - compute -> store after the epilogue;
//! - store -> compute after the store, if there is a loop over tiles. The first tile takes what is given before the loop,
//!   so one is over for each virtual thread. It is taken before the launch ends with virtual threads, and after it, which
//!   is in the next launch, without.

use super::kernels::{Places, Tile};
use super::transfer::{Dim, Pattern, folded};
use super::{Epilogue, Step};
use crate::vta::config::Mem;
use crate::vta::packed_conv::{PackedConv, PackedTiles};
use crate::vta::runtime::{
    BufferHandle, CallSite, LoadArgs, Runtime, RuntimeError, StoreArgs, UopMode,
};

const LOAD: i32 = 1;
const COMPUTE: i32 = 2;
const STORE: i32 = 3;

/// The axes of the loops over tiles.
const BATCH: usize = 0;
const ROW: usize = 1;
const CHANNEL: usize = 2;
const COLUMN: usize = 3;

/// A kernel's number among those of a virtual thread.
#[derive(Clone, Copy)]
struct Kernel(usize);

const RESET: Kernel = Kernel(0);
const GEMM: Kernel = Kernel(1);

impl Kernel {
    /// Of the epilogue's operators, one after the other.
    fn step(index: usize) -> Self {
        Kernel(2 + index)
    }
}

/// One schedule's program.
pub(super) struct Emission<'a> {
    runtime: &'a mut Runtime,
    tensor: BufferHandle,
    conv: &'a PackedConv,
    steps: &'a [Step],
    tile: Tile,
    /// Virtual threads along the output channels and along the rows.
    oc_threads: usize,
    h_threads: usize,
    /// Call sites of the kernels, all of one virtual thread after the other's.
    sites: Vec<CallSite>,
}

/// A tile of the output: its number along batches, rows, output channels and columns, and whose it is.
#[derive(Clone, Copy)]
struct At {
    batch: usize,
    row: usize,
    channel: usize,
    column: usize,
    thread: usize,
}

impl<'a> Emission<'a> {
    pub(super) fn new(
        runtime: &'a mut Runtime,
        tensor: BufferHandle,
        conv: &'a PackedConv,
        tiles: &PackedTiles,
        epilogue: &'a Epilogue,
    ) -> Self {
        Emission {
            runtime,
            tensor,
            conv,
            steps: epilogue.steps(),
            tile: Tile::new(conv, tiles),
            oc_threads: tiles.oc_threads,
            h_threads: tiles.h_threads,
            sites: Vec::new(),
        }
    }

    /// Drops the kernels.
    pub(super) fn forget(&mut self) {
        self.runtime.forget_sites(&self.sites);
    }

    fn threads(&self) -> usize {
        self.oc_threads * self.h_threads
    }

    /// Where the buffers of a virtual thread begin. Values of channels are dead once they are used: the next operator's take
    /// their place.
    fn places(&self, thread: usize) -> Places {
        let channels = self
            .steps
            .iter()
            .any(|step| matches!(step, Step::Channel { .. }));
        let outputs = self.tile.outputs();
        let accumulators = outputs + if channels { self.tile.co } else { 0 };
        Places {
            acc: thread * accumulators,
            inp: thread * self.tile.inputs(),
            wgt: thread * self.tile.weights(),
            channel: thread * accumulators + outputs,
        }
    }

    /// Records the kernels; the program's first launch does.
    fn record(&mut self) -> Result<(), RuntimeError> {
        for thread in 0..self.threads() {
            let places = self.places(thread);
            let reset = self.tile.reset(&places)?;
            let gemm = self.tile.gemm(&places)?;
            let mut kernels = vec![reset, gemm];
            for step in self.steps {
                kernels.push(self.tile.alu(step, &places)?);
            }
            for kernel in kernels {
                let site = self.runtime.new_site();
                self.sites.push(site);
                self.runtime.add_kernel(site, 0, kernel);
            }
        }
        Ok(())
    }

    /// Tiles along each axis, one for each virtual thread at once.
    fn extents(&self) -> [usize; 4] {
        let conv = self.conv;
        let mut extents = [0; 4];
        extents[BATCH] = conv.batches;
        extents[ROW] = conv.out_height() / self.tile.h / self.h_threads;
        extents[CHANNEL] = conv.output_blocks / self.tile.co / self.oc_threads;
        extents[COLUMN] = conv.out_width() / self.tile.w;
        extents
    }

    /// Whether there is a loop over tiles.
    fn repeats(&self) -> bool {
        self.extents() != [1; 4]
    }

    /// Whether a call leaves the last store's token, and the pop that takes it, to the next.
    pub(super) fn carries(&self) -> bool {
        self.repeats() && self.threads() == 1
    }

    /// As a call leaves the runtime to the next.
    pub(super) fn follow(&mut self) -> Result<(), RuntimeError> {
        if self.carries() {
            self.runtime.dep_pop(STORE, COMPUTE)?;
        }
        Ok(())
    }

    /// The loops over tiles, outermost first. The template moves that over virtual threads to the outside, and the one
    /// over batches comes to where it was.
    fn order(&self) -> [usize; 4] {
        if self.oc_threads > 1 {
            [ROW, CHANNEL, BATCH, COLUMN]
        } else if self.h_threads > 1 {
            [ROW, BATCH, CHANNEL, COLUMN]
        } else {
            [BATCH, ROW, CHANNEL, COLUMN]
        }
    }

    /// One call of the program, without the pop that it leaves to the next ([`Self::follow`]).
    pub(super) fn call(&mut self) -> Result<(), RuntimeError> {
        if self.sites.is_empty() {
            self.record()?;
        }
        let threads = self.threads();
        let extents = self.extents();
        let count: usize = extents.iter().product();
        let repeats = self.repeats();
        if repeats {
            for _ in 0..threads {
                self.runtime.dep_push(STORE, COMPUTE)?;
            }
        }
        let order = self.order();
        for step in 0..count {
            let mut position = [0; 4];
            let mut rest = step;
            for axis in order.into_iter().rev() {
                position[axis] = rest % extents[axis];
                rest /= extents[axis];
            }
            let at = |thread| At {
                batch: position[BATCH],
                row: position[ROW] * self.h_threads + thread % self.h_threads,
                channel: position[CHANNEL] * self.oc_threads + thread % self.oc_threads,
                column: position[COLUMN],
                thread,
            };
            let tiles = [at(0), at(threads - 1)];
            self.tiles(&tiles[..threads], repeats)?;
        }
        if repeats && !self.carries() {
            for _ in 0..threads {
                self.runtime.dep_pop(STORE, COMPUTE)?;
            }
        }
        self.runtime.synchronize()
    }

    /// One tile of each virtual thread.
    fn tiles(&mut self, tiles: &[At], repeats: bool) -> Result<(), RuntimeError> {
        for at in tiles {
            if repeats {
                self.runtime.dep_pop(STORE, COMPUTE)?;
            }
            self.push(RESET, at.thread, UopMode::Gemm)?;
            self.runtime.dep_push(COMPUTE, LOAD)?;
        }
        let inputs = self.conv.input_blocks / self.tile.ci;
        for input in 0..inputs {
            for at in tiles {
                self.runtime.dep_pop(COMPUTE, LOAD)?;
                self.load_data(input, at)?;
                self.load_weights(input, at)?;
                self.runtime.dep_push(LOAD, COMPUTE)?;
            }
            if inputs == 1 {
                break;
            }
            for at in tiles {
                self.runtime.dep_pop(LOAD, COMPUTE)?;
                self.push(GEMM, at.thread, UopMode::Gemm)?;
                self.runtime.dep_push(COMPUTE, LOAD)?;
            }
        }
        if inputs > 1 {
            for _ in tiles {
                self.runtime.dep_pop(COMPUTE, LOAD)?;
            }
        }
        for at in tiles {
            if inputs == 1 {
                self.runtime.dep_pop(LOAD, COMPUTE)?;
                self.push(GEMM, at.thread, UopMode::Gemm)?;
            }
            self.epilogue(at)?;
            self.runtime.dep_push(COMPUTE, STORE)?;
        }
        for at in tiles {
            self.runtime.dep_pop(COMPUTE, STORE)?;
            self.store(at)?;
            if repeats {
                self.runtime.dep_push(STORE, COMPUTE)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, kernel: Kernel, thread: usize, mode: UopMode) -> Result<(), RuntimeError> {
        let kernels = self.sites.len() / self.threads();
        let site = self.sites[thread * kernels + kernel.0];
        self.runtime.push_kernel(site, 0, mode)
    }

    fn epilogue(&mut self, at: &At) -> Result<(), RuntimeError> {
        for (index, step) in self.steps.iter().enumerate() {
            if let Step::Channel { .. } = step {
                let co = self.tile.co;
                let place = self.places(at.thread).channel;
                let channels = folded([Dim {
                    extent: co,
                    stride: 1,
                }]);
                let offset = at.batch * self.conv.output_blocks + at.channel * co;
                self.load(Mem::Acc, offset, channels, [0; 4], place)?;
            }
            self.push(Kernel::step(index), at.thread, UopMode::Alu)?;
        }
        Ok(())
    }

    /// Input tile `input` for an output tile; what it has beyond the image is padding.
    fn load_data(&mut self, input: usize, at: &At) -> Result<(), RuntimeError> {
        let (conv, tile) = (self.conv, &self.tile);
        let rows = Span::new(at.row * tile.h, tile.in_h, conv, conv.height);
        let columns = Span::new(at.column * tile.w, tile.in_w, conv, conv.width);
        let area = conv.height * conv.width;
        let block = at.batch * conv.input_blocks + input * tile.ci;
        let offset = block * area + rows.first * conv.width + columns.first;
        let pattern = if conv.padding > 0 {
            // Not folded: padding needs rows and columns as they are.
            Some(Pattern {
                x_size: columns.extent,
                y_size: rows.extent,
                x_stride: conv.width,
            })
        } else {
            folded([
                Dim {
                    extent: tile.ci,
                    stride: area,
                },
                Dim {
                    extent: tile.in_h,
                    stride: conv.width,
                },
                Dim {
                    extent: tile.in_w,
                    stride: 1,
                },
            ])
        };
        let pad = [columns.before, rows.before, columns.after, rows.after];
        let place = self.places(at.thread).inp;
        self.load(
            Mem::Inp,
            offset,
            pattern,
            pad.map(|zeros| zeros as u32),
            place,
        )
    }

    fn load_weights(&mut self, input: usize, at: &At) -> Result<(), RuntimeError> {
        let (tile, kernel) = (&self.tile, self.tile.kernel());
        let row = self.conv.input_blocks * kernel;
        let pattern = folded([
            Dim {
                extent: tile.co,
                stride: row,
            },
            Dim {
                extent: tile.ci,
                stride: kernel,
            },
            Dim {
                extent: kernel,
                stride: 1,
            },
        ]);
        let offset = at.channel * tile.co * row + input * tile.ci * kernel;
        let place = self.places(at.thread).wgt;
        self.load(Mem::Wgt, offset, pattern, [0; 4], place)
    }

    fn load(
        &mut self,
        mem: Mem,
        offset: usize,
        pattern: Option<Pattern>,
        pad: [u32; 4],
        place: usize,
    ) -> Result<(), RuntimeError> {
        let pattern = pattern.ok_or(PATTERN)?;
        self.runtime.load_buffer_2d(&LoadArgs {
            src: self.tensor,
            src_elem_offset: offset as u32,
            x_size: pattern.x_size as u32,
            y_size: pattern.y_size as u32,
            x_stride: pattern.x_stride as u32,
            pad,
            dst_sram_index: place as u32,
            mem_type: mem.id().into(),
        })
    }

    fn store(&mut self, at: &At) -> Result<(), RuntimeError> {
        let (conv, tile) = (self.conv, &self.tile);
        let (width, area) = (conv.out_width(), conv.out_height() * conv.out_width());
        let pattern = folded([
            Dim {
                extent: tile.co,
                stride: area,
            },
            Dim {
                extent: tile.h,
                stride: width,
            },
            Dim {
                extent: tile.w,
                stride: 1,
            },
        ])
        .ok_or(PATTERN)?;
        let block = at.batch * conv.output_blocks + at.channel * tile.co;
        let offset = block * area + at.row * tile.h * width + at.column * tile.w;
        self.runtime.store_buffer_2d(&StoreArgs {
            src_sram_index: self.places(at.thread).acc as u32,
            mem_type: Mem::Out.id().into(),
            dst: self.tensor,
            dst_elem_offset: offset as u32,
            x_size: pattern.x_size as u32,
            y_size: pattern.y_size as u32,
            x_stride: pattern.x_stride as u32,
        })
    }
}

/// The rules refuse such tiles.
const PATTERN: RuntimeError = RuntimeError::Protocol("a tile is no two-dimensional pattern");

/// Rows or columns of an input tile.
struct Span {
    /// The first that exists.
    first: usize,
    /// How many exist.
    extent: usize,
    /// Zeros before and after them.
    before: usize,
    after: usize,
}

impl Span {
    /// Of a tile of `extent` that belongs to output rows or columns from `output` on, in an image of `length`.
    fn new(output: usize, extent: usize, conv: &PackedConv, length: usize) -> Self {
        let start = output * conv.stride;
        let before = conv.padding.saturating_sub(start);
        let after = (start + extent).saturating_sub(conv.padding + length);
        Span {
            first: (start + before).wrapping_sub(conv.padding),
            // A tile that lies in the padding has as many as no field holds, as in TVM's program.
            extent: extent.wrapping_sub(before + after),
            before,
            after,
        }
    }
}
