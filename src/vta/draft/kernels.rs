//! The micro-operation kernels of a tile, recorded as the lowering passes have them recorded.
//!
//! A matrix kernel is a nest of loops around one micro-operation. Its two outermost loops become those of the instruction
//! (`FoldUopLoop`), the others are unrolled. The nest of an elementwise operator is merged to at most two
//! (`InjectALUIntrin`). A loop of one iteration is none.

use super::Step;
use crate::vta::packed_conv::{PackedConv, PackedTiles};
use crate::vta::runtime::{KernelBuilder, KernelError, UopCall, UopKernel};

/// Most loops of an instruction.
const LOOPS: usize = 2;

/// A loop, with how far it moves the three indices of a micro-operation.
#[derive(Clone, Copy, Debug)]
struct Loop {
    extent: usize,
    dst: usize,
    src: usize,
    wgt: usize,
}

/// Where the buffers of a virtual thread begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) acc: usize,
    pub(super) inp: usize,
    pub(super) wgt: usize,
    /// The values of a [`Step::Channel`], among the accumulators.
    pub(super) channel: usize,
}

/// Extents of a tile in the buffers, in elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile {
    pub(super) h: usize,
    pub(super) w: usize,
    pub(super) ci: usize,
    pub(super) co: usize,
    pub(super) in_h: usize,
    pub(super) in_w: usize,
    pub(super) kernel_height: usize,
    pub(super) kernel_width: usize,
    stride: usize,
}

impl Tile {
    pub(super) fn new(conv: &PackedConv, tiles: &PackedTiles) -> Self {
        Tile {
            h: tiles.h,
            w: tiles.w,
            ci: tiles.ci,
            co: tiles.co,
            in_h: (tiles.h - 1) * conv.stride + conv.kernel_height,
            in_w: (tiles.w - 1) * conv.stride + conv.kernel_width,
            kernel_height: conv.kernel_height,
            kernel_width: conv.kernel_width,
            stride: conv.stride,
        }
    }

    /// Accumulators.
    pub(super) fn outputs(&self) -> usize {
        self.co * self.h * self.w
    }

    /// Input elements, padding included.
    pub(super) fn inputs(&self) -> usize {
        self.ci * self.in_h * self.in_w
    }

    /// Weight elements.
    pub(super) fn weights(&self) -> usize {
        self.co * self.ci * self.kernel()
    }

    /// Positions of the kernel.
    pub(super) fn kernel(&self) -> usize {
        self.kernel_height * self.kernel_width
    }

    /// Sets the accumulators to zero.
    pub(super) fn reset(&self, places: &Places) -> Result<UopKernel, KernelError> {
        let nest = |extent, dst| Loop {
            extent,
            dst,
            src: 0,
            wgt: 0,
        };
        let nest = [
            nest(self.w, 1),
            nest(self.co, self.h * self.w),
            nest(self.h, self.w),
        ];
        let first = UopCall {
            reset_out: 1,
            dst_index: places.acc as u32,
            ..MATRIX
        };
        record(&nest, LOOPS, first)
    }

    /// Multiplies and accumulates: `vta_conv2d.py`'s order of loops.
    pub(super) fn gemm(&self, places: &Places) -> Result<UopKernel, KernelError> {
        let nest = |extent, dst, src, wgt| Loop {
            extent,
            dst,
            src,
            wgt,
        };
        let nest = [
            nest(self.ci, 0, self.in_h * self.in_w, self.kernel()),
            nest(self.w, 1, self.stride, 0),
            nest(self.kernel_width, 0, 1, 1),
            nest(self.kernel_height, 0, self.in_w, self.kernel_width),
            nest(self.co, self.h * self.w, 0, self.ci * self.kernel()),
            nest(self.h, self.w, self.stride * self.in_w, 0),
        ];
        let first = UopCall {
            dst_index: places.acc as u32,
            src_index: places.inp as u32,
            wgt_index: places.wgt as u32,
            ..MATRIX
        };
        record(&nest, LOOPS, first)
    }

    /// An elementwise operator.
    pub(super) fn alu(&self, step: &Step, places: &Places) -> Result<UopKernel, KernelError> {
        let area = self.h * self.w;
        let nest = |extent, dst, src| Loop {
            extent,
            dst,
            src,
            wgt: 0,
        };
        let dst_index = places.acc as u32;
        match *step {
            Step::Immediate { op, imm } => {
                let first = UopCall {
                    dst_index,
                    src_index: dst_index,
                    opcode: op.id().into(),
                    use_imm: 1,
                    imm_val: imm.into(),
                    ..VECTOR
                };
                record(&[nest(self.outputs(), 1, 1)], LOOPS, first)
            }
            Step::Channel { op } => {
                let first = UopCall {
                    dst_index,
                    src_index: places.channel as u32,
                    opcode: op.id().into(),
                    ..VECTOR
                };
                let nest = [nest(self.co, area, 1), nest(area, 1, 0)];
                record(&nest, LOOPS, first)
            }
        }
    }
}

const MATRIX: UopCall = UopCall {
    mode: 0,
    reset_out: 0,
    dst_index: 0,
    src_index: 0,
    wgt_index: 0,
    opcode: 0,
    use_imm: 0,
    imm_val: 0,
};

const VECTOR: UopCall = UopCall { mode: 1, ..MATRIX };

/// Records a nest, outermost loop first, around a micro-operation of which the indices of the first iteration are given.
fn record(nest: &[Loop], loops: usize, first: UopCall) -> Result<UopKernel, KernelError> {
    let mut builder = KernelBuilder::new();
    let mut rest = nest;
    let mut begun = 0;
    while let [outer, inner @ ..] = rest
        && begun < loops
    {
        if outer.extent > 1 {
            let [extent, dst, src, wgt] =
                [outer.extent, outer.dst, outer.src, outer.wgt].map(|number| number as u32);
            builder.loop_begin(extent, dst, src, wgt)?;
            begun += 1;
        }
        rest = inner;
    }
    unroll(rest, &mut builder, first)?;
    for _ in 0..begun {
        builder.loop_end()?;
    }
    builder.finish()
}

fn unroll(
    nest: &[Loop],
    builder: &mut KernelBuilder,
    mut call: UopCall,
) -> Result<(), KernelError> {
    let [outer, inner @ ..] = nest else {
        return builder.push(&call);
    };
    for _ in 0..outer.extent {
        unroll(inner, builder, call)?;
        call.dst_index += outer.dst as u32;
        call.src_index += outer.src as u32;
        call.wgt_index += outer.wgt as u32;
    }
    Ok(())
}
