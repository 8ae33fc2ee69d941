//! The input and weight buffers, in the layout that the GEMM path wants.
//!
//! A vector path converts elements once, when they are loaded; every element is used many times.

use super::kernel::{GemmPath, Run, Shape, scalar_run};
#[cfg(target_arch = "x86_64")]
use super::simd::{Avx2, Vnni};
use crate::vta::buffer::Buffer;
use crate::vta::config::{Geometry, Mem};

/// Input and weight buffers.
pub(super) struct Operands {
    shape: Shape,
    /// Bits of an input and of a weight value.
    bits: (u32, u32),
    layout: Layout,
}

enum Layout {
    /// Any widths, sign-extended.
    Wide { inp: Buffer<i32>, wgt: Buffer<i32> },
    /// int8 as in memory.
    Bytes { inp: Buffer<i8>, wgt: Buffer<i8> },
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Vnni(Vnni),
}

impl Operands {
    /// Zeroed buffers; a path whose instructions are missing gives the scalar layout.
    pub(super) fn new(geometry: &Geometry, path: GemmPath) -> Self {
        let shape = Shape {
            batch: geometry.batch(),
            block_in: geometry.block_in(),
            block_out: geometry.block_out(),
            inp_depth: geometry.depth(Mem::Inp),
            wgt_depth: geometry.depth(Mem::Wgt),
        };
        let bits = (geometry.inp_bits(), geometry.wgt_bits());
        let vector = match path {
            GemmPath::Scalar => None,
            #[cfg(target_arch = "x86_64")]
            GemmPath::Avx2 => Avx2::new(shape).map(Layout::Avx2),
            #[cfg(target_arch = "x86_64")]
            GemmPath::Avx512Vnni => Vnni::new(shape).map(Layout::Vnni),
            #[cfg(not(target_arch = "x86_64"))]
            GemmPath::Avx2 | GemmPath::Avx512Vnni => None,
        };
        let inp = shape.inp_depth * shape.batch * shape.block_in;
        let wgt = shape.wgt_depth * shape.block_out * shape.block_in;
        let layout = vector.unwrap_or_else(|| {
            if bits == (8, 8) {
                Layout::Bytes {
                    inp: Buffer::new(inp, 0),
                    wgt: Buffer::new(wgt, 0),
                }
            } else {
                Layout::Wide {
                    inp: Buffer::new(inp, 0),
                    wgt: Buffer::new(wgt, 0),
                }
            }
        });
        Operands {
            shape,
            bits,
            layout,
        }
    }

    pub(super) fn path(&self) -> GemmPath {
        match self.layout {
            Layout::Wide { .. } | Layout::Bytes { .. } => GemmPath::Scalar,
            #[cfg(target_arch = "x86_64")]
            Layout::Avx2(_) => GemmPath::Avx2,
            #[cfg(target_arch = "x86_64")]
            Layout::Vnni(_) => GemmPath::Avx512Vnni,
        }
    }

    /// Fills input elements from their bytes in DRAM.
    pub(super) fn write_inp(&mut self, first: usize, row: &[u8]) {
        let at = first * self.shape.batch * self.shape.block_in;
        match &mut self.layout {
            Layout::Wide { inp, .. } => unpack(row, self.bits.0, &mut inp[at..]),
            Layout::Bytes { inp, .. } => copy(row, &mut inp[at..]),
            #[cfg(target_arch = "x86_64")]
            Layout::Avx2(avx2) => avx2.write_inp(first, row),
            #[cfg(target_arch = "x86_64")]
            Layout::Vnni(vnni) => vnni.write_inp(first, row),
        }
    }

    /// Fills weight elements from their bytes in DRAM.
    pub(super) fn write_wgt(&mut self, first: usize, row: &[u8]) {
        let at = first * self.shape.block_out * self.shape.block_in;
        match &mut self.layout {
            Layout::Wide { wgt, .. } => unpack(row, self.bits.1, &mut wgt[at..]),
            Layout::Bytes { wgt, .. } => copy(row, &mut wgt[at..]),
            #[cfg(target_arch = "x86_64")]
            Layout::Avx2(avx2) => avx2.write_wgt(first, row),
            #[cfg(target_arch = "x86_64")]
            Layout::Vnni(vnni) => vnni.write_wgt(first, row),
        }
    }

    /// Zeroes input elements.
    pub(super) fn zero_inp(&mut self, first: usize, count: usize) {
        let size = self.shape.batch * self.shape.block_in;
        let range = first * size..(first + count) * size;
        match &mut self.layout {
            Layout::Wide { inp, .. } => inp[range].fill(0),
            Layout::Bytes { inp, .. } => inp[range].fill(0),
            #[cfg(target_arch = "x86_64")]
            Layout::Avx2(avx2) => avx2.zero_inp(range),
            #[cfg(target_arch = "x86_64")]
            Layout::Vnni(vnni) => vnni.zero_inp(range),
        }
    }

    /// Zeroes weight elements.
    pub(super) fn zero_wgt(&mut self, first: usize, count: usize) {
        let size = self.shape.block_out * self.shape.block_in;
        let range = first * size..(first + count) * size;
        match &mut self.layout {
            Layout::Wide { wgt, .. } => wgt[range].fill(0),
            Layout::Bytes { wgt, .. } => wgt[range].fill(0),
            #[cfg(target_arch = "x86_64")]
            Layout::Avx2(avx2) => avx2.zero_wgt(range),
            #[cfg(target_arch = "x86_64")]
            Layout::Vnni(vnni) => vnni.zero_wgt(first, count),
        }
    }

    /// Executes a run.
    #[inline]
    pub(super) fn run(&self, acc: &mut [i32], run: &Run) {
        match &self.layout {
            Layout::Wide { inp, wgt } => scalar_run(&self.shape, acc, inp, wgt, run),
            Layout::Bytes { inp, wgt } => scalar_run(&self.shape, acc, inp, wgt, run),
            #[cfg(target_arch = "x86_64")]
            Layout::Avx2(avx2) => avx2.run(acc, run),
            #[cfg(target_arch = "x86_64")]
            Layout::Vnni(vnni) => vnni.run(acc, run),
        }
    }
}

fn copy(row: &[u8], out: &mut [i8]) {
    out.iter_mut()
        .zip(row)
        .for_each(|(out, byte)| *out = byte.cast_signed());
}

/// Sign-extends packed values; below 8 bits several share a byte, the first lowest.
fn unpack(row: &[u8], bits: u32, out: &mut [i32]) {
    match bits {
        8 => out
            .iter_mut()
            .zip(row)
            .for_each(|(out, byte)| *out = byte.cast_signed().into()),
        16 => {
            for (out, bytes) in out.iter_mut().zip(row.as_chunks().0) {
                *out = i16::from_le_bytes(*bytes).into();
            }
        }
        32 => {
            for (out, bytes) in out.iter_mut().zip(row.as_chunks().0) {
                *out = i32::from_le_bytes(*bytes);
            }
        }
        _ => {
            let per_byte = 8 / bits as usize;
            for (out, &byte) in out.chunks_mut(per_byte).zip(row) {
                for (out, at) in out.iter_mut().zip((0..8).step_by(bits as usize)) {
                    // Shift the value to the top of the byte, then down again with its sign.
                    *out = i32::from((byte << (8 - bits - at)).cast_signed() >> (8 - bits));
                }
            }
        }
    }
}
