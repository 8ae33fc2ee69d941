//! The vector code: the only file of the accelerator's models that says `unsafe`.
//!
//! Each type holds buffers in the layout of its instructions and can be made only where the processor has them.
#![allow(unsafe_code)]
#![allow(
    clippy::needless_range_loop,
    reason = "in kernels the index of step and channel is the point"
)]

use super::alu;
use super::arch512::{
    self, _mm512_add_epi32, _mm512_castsi128_si512, _mm512_castsi512_si256, _mm512_dpbusd_epi32,
    _mm512_inserti32x4, _mm512_inserti64x4, _mm512_loadu_si512, _mm512_permutex2var_epi32,
    _mm512_set1_epi8, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setzero_si512,
    _mm512_storeu_si512, _mm512_sub_epi32, load_quarter,
};
use super::kernel::{Run, Shape, has_avx2};
use crate::vta::buffer::Buffer;
use crate::vta::isa::{AluInsn, Uop};
use std::arch::x86_64::*;
use std::ops::Range;

/// Panics unless every element that the run touches lies in its buffer: what the `unsafe` blocks below rely on.
fn check(shape: &Shape, acc: &[i32], run: &Run) {
    let last = |first: usize, step: usize, round: usize| {
        first + (run.n - 1) * step + (run.rounds - 1) * round
    };
    assert!(run.n > 0 && run.rounds > 0);
    assert!(last(run.inp, run.inp_step, run.inp_round) < shape.inp_depth);
    assert!(last(run.wgt, run.wgt_step, run.wgt_round) < shape.wgt_depth);
    assert!((last(run.acc, run.acc_step, 0) + 1) * shape.batch * shape.block_out <= acc.len());
}

/// Executes an ALU instruction with 256-bit vectors where the processor has them.
pub(super) fn alu(acc: &mut [i32], lanes: usize, a: &AluInsn, uops: &[Uop]) {
    #[target_feature(enable = "avx2")]
    fn with_avx2(acc: &mut [i32], lanes: usize, a: &AluInsn, uops: &[Uop]) {
        alu::execute(acc, lanes, a, uops);
    }
    if has_avx2() {
        // SAFETY: the processor has AVX2, the only thing the (otherwise safe) function needs.
        unsafe { with_avx2(acc, lanes, a, uops) }
    } else {
        alu::execute(acc, lanes, a, uops);
    }
}

/// A position in a run's operands: pointers to the first step of the first round, and distances between steps and
/// between rounds, in values.
#[derive(Clone, Copy)]
struct Steps<I, W> {
    acc: *mut i32,
    acc_step: usize,
    inp: *const I,
    inp_step: usize,
    wgt: *const W,
    wgt_step: usize,
    /// -128 * sum of the weights, one for each output channel; VNNI only.
    bias: *const i32,
    bias_step: usize,
    rounds: usize,
    inp_round: usize,
    wgt_round: usize,
    bias_round: usize,
}

impl<I, W> Steps<I, W> {
    /// The position `t` steps on.
    ///
    /// # Safety
    /// Step `t` must exist.
    unsafe fn advance(self, t: usize) -> Self {
        // SAFETY: the caller vouches that step `t` lies in the buffers.
        unsafe {
            Steps {
                acc: self.acc.add(t * self.acc_step),
                inp: self.inp.add(t * self.inp_step),
                wgt: self.wgt.add(t * self.wgt_step),
                bias: self.bias.add(t * self.bias_step),
                ..self
            }
        }
    }
}

/// Buffers for AVX2. Inputs are widened to 16 bits; weights are `[block_out/8][block_in/2][8][2]`, 16 bits each, so that
/// `vpmaddwd` with a broadcast pair of inputs adds two products to each of eight accumulators.
pub(super) struct Avx2 {
    shape: Shape,
    inp: Buffer<i16>,
    wgt: Buffer<i16>,
}

impl Avx2 {
    /// Zeroed buffers, if the processor has AVX2 and the blocks fill its vectors.
    pub(super) fn new(shape: Shape) -> Option<Self> {
        let fits = shape.block_in.is_multiple_of(2) && shape.block_out.is_multiple_of(8);
        (has_avx2() && fits).then(|| Avx2 {
            shape,
            inp: Buffer::new(shape.inp_depth * shape.batch * shape.block_in, 0),
            wgt: Buffer::new(shape.wgt_depth * shape.block_out * shape.block_in, 0),
        })
    }

    pub(super) fn write_inp(&mut self, first: usize, row: &[u8]) {
        #[target_feature(enable = "avx2")]
        fn widen(row: &[u8], out: &mut [i16]) {
            out.iter_mut()
                .zip(row)
                .for_each(|(out, byte)| *out = byte.cast_signed().into());
        }
        let at = first * self.shape.batch * self.shape.block_in;
        // SAFETY: `new` checked that the processor has AVX2.
        unsafe { widen(row, &mut self.inp[at..]) }
    }

    pub(super) fn zero_inp(&mut self, range: Range<usize>) {
        self.inp[range].fill(0);
    }

    pub(super) fn zero_wgt(&mut self, range: Range<usize>) {
        self.wgt[range].fill(0);
    }

    pub(super) fn write_wgt(&mut self, first: usize, row: &[u8]) {
        let Shape {
            block_in,
            block_out,
            ..
        } = self.shape;
        let size = block_in * block_out;
        for (element, out) in row
            .chunks_exact(size)
            .zip(self.wgt[first * size..].chunks_exact_mut(size))
        {
            for (rows, out) in element
                .chunks_exact(8 * block_in)
                .zip(out.chunks_exact_mut(8 * block_in))
            {
                if block_in.is_multiple_of(16) {
                    // SAFETY: `new` checked that the processor has AVX2; both slices have 8 * block_in values.
                    unsafe { pack_avx2(rows, out, block_in) }
                } else {
                    for (k2, out) in out.chunks_exact_mut(16).enumerate() {
                        for (row, pair) in rows.chunks_exact(block_in).zip(out.chunks_exact_mut(2))
                        {
                            pair[0] = row[2 * k2].cast_signed().into();
                            pair[1] = row[2 * k2 + 1].cast_signed().into();
                        }
                    }
                }
            }
        }
    }

    pub(super) fn run(&self, acc: &mut [i32], run: &Run) {
        check(&self.shape, acc, run);
        let Shape {
            batch,
            block_in,
            block_out,
            ..
        } = self.shape;
        let (lanes, values, weights) = (batch * block_out, batch * block_in, block_out * block_in);
        // SAFETY: `new` checked that the processor has AVX2; `check` that all steps lie in the buffers, whose sizes are
        // those of `new`.
        unsafe {
            let steps = Steps {
                acc: acc.as_mut_ptr().add(run.acc * lanes),
                acc_step: run.acc_step * lanes,
                inp: self.inp.as_ptr().add(run.inp * values),
                inp_step: run.inp_step * values,
                wgt: self.wgt.as_ptr().add(run.wgt * weights),
                wgt_step: run.wgt_step * weights,
                bias: std::ptr::dangling(),
                bias_step: 0,
                rounds: run.rounds,
                inp_round: run.inp_round * values,
                wgt_round: run.wgt_round * weights,
                bias_round: 0,
            };
            run_avx2(&self.shape, run.n, steps);
        }
    }
}

/// Eight rows of signed bytes to `[block_in/2][8][2]` of 16 bits.
///
/// # Safety
/// `rows` and `out` must have `8 * block_in` values, `block_in` must be a multiple of 16.
#[target_feature(enable = "avx2")]
unsafe fn pack_avx2(rows: &[u8], out: &mut [i16], block_in: usize) {
    for k in (0..block_in).step_by(16) {
        let mut r = [_mm256_setzero_si256(); 8];
        for (j, r) in r.iter_mut().enumerate() {
            // SAFETY: row j < 8 has block_in bytes, k + 16 <= block_in.
            *r = _mm256_cvtepi8_epi16(unsafe {
                _mm_loadu_si128(rows.as_ptr().add(j * block_in + k).cast())
            });
        }
        // Transposes 8x8 pairs: 32-bit, 64-bit, then 128-bit halves.
        let mut a = [_mm256_setzero_si256(); 8];
        for j in 0..4 {
            a[2 * j] = _mm256_unpacklo_epi32(r[2 * j], r[2 * j + 1]);
            a[2 * j + 1] = _mm256_unpackhi_epi32(r[2 * j], r[2 * j + 1]);
        }
        let mut b = [_mm256_setzero_si256(); 8];
        for j in 0..2 {
            b[4 * j] = _mm256_unpacklo_epi64(a[4 * j], a[4 * j + 2]);
            b[4 * j + 1] = _mm256_unpackhi_epi64(a[4 * j], a[4 * j + 2]);
            b[4 * j + 2] = _mm256_unpacklo_epi64(a[4 * j + 1], a[4 * j + 3]);
            b[4 * j + 3] = _mm256_unpackhi_epi64(a[4 * j + 1], a[4 * j + 3]);
        }
        for j in 0..4 {
            let low = _mm256_permute2x128_si256::<0x20>(b[j], b[j + 4]);
            let high = _mm256_permute2x128_si256::<0x31>(b[j], b[j + 4]);
            // SAFETY: pair k/2 + j (or + 4) of block_in/2 pairs has 16 values.
            unsafe {
                _mm256_storeu_si256(out.as_mut_ptr().add((k / 2 + j) * 16).cast(), low);
                _mm256_storeu_si256(out.as_mut_ptr().add((k / 2 + j + 4) * 16).cast(), high);
            }
        }
    }
}

/// # Safety
/// All `n` steps must lie in their buffers, in AVX2's layout for `shape`.
#[target_feature(enable = "avx2")]
unsafe fn run_avx2(shape: &Shape, n: usize, steps: Steps<i16, i16>) {
    for row in 0..shape.batch {
        let mut j = 0;
        while j < shape.block_out {
            // SAFETY: row, channel j and its 8 or 16 neighbours are within each element.
            unsafe {
                let at = Steps {
                    acc: steps.acc.add(row * shape.block_out + j),
                    inp: steps.inp.add(row * shape.block_in),
                    wgt: steps.wgt.add(j * shape.block_in),
                    ..steps
                };
                if shape.block_out - j >= 16 {
                    tiles_avx2::<2>(shape.block_in, n, at);
                    j += 16;
                } else {
                    tiles_avx2::<1>(shape.block_in, n, at);
                    j += 8;
                }
            }
        }
    }
}

/// # Safety
/// As [`run_avx2`], for `8 * J` output channels.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn tiles_avx2<const J: usize>(block_in: usize, n: usize, steps: Steps<i16, i16>) {
    let mut t = 0;
    while t < n {
        // SAFETY: T <= n - t steps from t on exist.
        unsafe {
            let at = steps.advance(t);
            t += match (n - t, steps.acc_step, steps.wgt_step) {
                (4.., 0, _) => tile_avx2::<J, 4, true, false>(block_in, at),
                (4.., _, 0) => tile_avx2::<J, 4, false, true>(block_in, at),
                (4.., _, _) => tile_avx2::<J, 4, false, false>(block_in, at),
                (2 | 3, 0, _) => tile_avx2::<J, 2, true, false>(block_in, at),
                (2 | 3, _, _) => tile_avx2::<J, 2, false, false>(block_in, at),
                _ => tile_avx2::<J, 1, false, false>(block_in, at),
            };
        }
    }
}

/// `T` steps for `8 * J` output channels: `REDUCE` if all add to the same accumulator, `SHARED` if all have the same
/// weights. Returns `T`.
///
/// # Safety
/// As [`run_avx2`], for `T` steps.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn tile_avx2<const J: usize, const T: usize, const REDUCE: bool, const SHARED: bool>(
    block_in: usize,
    s: Steps<i16, i16>,
) -> usize {
    let mut sum = [[_mm256_setzero_si256(); J]; T];
    // SAFETY: step t < T of each round exists; each accumulator row has 8 * J values from here, each input row block_in, each weight
    // group of 8 channels 8 * block_in.
    unsafe {
        if !REDUCE {
            for t in 0..T {
                for j in 0..J {
                    sum[t][j] = _mm256_loadu_si256(s.acc.add(t * s.acc_step + 8 * j).cast());
                }
            }
        }
        for round in 0..s.rounds {
            let inp = s.inp.add(round * s.inp_round);
            let wgt = s.wgt.add(round * s.wgt_round);
            for k2 in 0..block_in / 2 {
                let mut w = [_mm256_setzero_si256(); J];
                for t in 0..T {
                    if t == 0 || !SHARED {
                        for (j, w) in w.iter_mut().enumerate() {
                            let at = t * s.wgt_step + 8 * j * block_in + 16 * k2;
                            *w = _mm256_loadu_si256(wgt.add(at).cast());
                        }
                    }
                    let pair = inp
                        .add(t * s.inp_step + 2 * k2)
                        .cast::<i32>()
                        .read_unaligned();
                    let x = _mm256_set1_epi32(pair);
                    for j in 0..J {
                        sum[t][j] = _mm256_add_epi32(sum[t][j], _mm256_madd_epi16(x, w[j]));
                    }
                }
            }
        }
        if REDUCE {
            for j in 0..J {
                let at = s.acc.add(8 * j).cast();
                let total = sum
                    .iter()
                    .fold(_mm256_loadu_si256(at), |a, b| _mm256_add_epi32(a, b[j]));
                _mm256_storeu_si256(at, total);
            }
        } else {
            for t in 0..T {
                for j in 0..J {
                    _mm256_storeu_si256(s.acc.add(t * s.acc_step + 8 * j).cast(), sum[t][j]);
                }
            }
        }
    }
    T
}

/// Buffers for AVX-512 VNNI. `vpdpbusd` multiplies unsigned by signed bytes: inputs are stored as `x + 128`, weights as
/// `[block_out/16][block_in/4][16][4]`, and `bias` holds what the 128 adds too much, negated.
pub(super) struct Vnni {
    shape: Shape,
    inp: Buffer<u8>,
    wgt: Buffer<i8>,
    bias: Buffer<i32>,
}

impl Vnni {
    /// Zeroed buffers, if the processor has AVX-512 VNNI and the blocks fill its vectors.
    pub(super) fn new(shape: Shape) -> Option<Self> {
        let fits = shape.block_in.is_multiple_of(4) && shape.block_out.is_multiple_of(16);
        (arch512::is_available() && fits).then(|| Vnni {
            shape,
            inp: Buffer::new(shape.inp_depth * shape.batch * shape.block_in, 0x80),
            wgt: Buffer::new(shape.wgt_depth * shape.block_out * shape.block_in, 0),
            bias: Buffer::new(shape.wgt_depth * shape.block_out, 0),
        })
    }

    pub(super) fn write_inp(&mut self, first: usize, row: &[u8]) {
        let at = first * self.shape.batch * self.shape.block_in;
        self.inp[at..]
            .iter_mut()
            .zip(row)
            .for_each(|(out, byte)| *out = byte ^ 0x80);
    }

    pub(super) fn zero_inp(&mut self, range: Range<usize>) {
        self.inp[range].fill(0x80);
    }

    pub(super) fn zero_wgt(&mut self, first: usize, count: usize) {
        let Shape {
            block_in,
            block_out,
            ..
        } = self.shape;
        self.wgt[first * block_out * block_in..(first + count) * block_out * block_in].fill(0);
        self.bias[first * block_out..(first + count) * block_out].fill(0);
    }

    pub(super) fn write_wgt(&mut self, first: usize, row: &[u8]) {
        let Shape {
            block_in,
            block_out,
            ..
        } = self.shape;
        let size = 16 * block_in;
        let out = self.wgt[first * block_out * block_in..].chunks_exact_mut(size);
        let bias = self.bias[first * block_out..].chunks_exact_mut(16);
        for ((rows, out), bias) in row.chunks_exact(size).zip(out).zip(bias) {
            if block_in.is_multiple_of(16) {
                // SAFETY: `new` checked that the processor has AVX-512; both slices have 16 * block_in values.
                unsafe { pack_vnni(rows, out, block_in) }
            } else {
                for (k4, out) in out.chunks_exact_mut(64).enumerate() {
                    for (row, quad) in rows.chunks_exact(block_in).zip(out.chunks_exact_mut(4)) {
                        let row = &row[4 * k4..4 * k4 + 4];
                        quad.iter_mut()
                            .zip(row)
                            .for_each(|(out, byte)| *out = byte.cast_signed());
                    }
                }
            }
            // SAFETY: `new` checked that the processor has AVX-512 VNNI; `out` has block_in / 4 vectors, `bias` one.
            unsafe { bias_vnni(out, bias) }
        }
    }

    pub(super) fn run(&self, acc: &mut [i32], run: &Run) {
        check(&self.shape, acc, run);
        let Shape {
            batch,
            block_in,
            block_out,
            ..
        } = self.shape;
        let (lanes, values, weights) = (batch * block_out, batch * block_in, block_out * block_in);
        // SAFETY: `new` checked that the processor has AVX-512 VNNI; `check` that all steps lie in the buffers, whose
        // sizes are those of `new`.
        unsafe {
            let steps = Steps {
                acc: acc.as_mut_ptr().add(run.acc * lanes),
                acc_step: run.acc_step * lanes,
                inp: self.inp.as_ptr().add(run.inp * values),
                inp_step: run.inp_step * values,
                wgt: self.wgt.as_ptr().add(run.wgt * weights),
                wgt_step: run.wgt_step * weights,
                bias: self.bias.as_ptr().add(run.wgt * block_out),
                bias_step: run.wgt_step * block_out,
                rounds: run.rounds,
                inp_round: run.inp_round * values,
                wgt_round: run.wgt_round * weights,
                bias_round: run.wgt_round * block_out,
            };
            run_vnni(&self.shape, run.n, steps);
        }
    }
}

on_avx512! {
/// Sixteen rows of bytes to `[block_in/4][16][4]`.
///
/// # Safety
/// `rows` and `out` must have `16 * block_in` values, `block_in` must be a multiple of 16.
unsafe fn pack_vnni(rows: &[u8], out: &mut [i8], block_in: usize) {
    for k in (0..block_in).step_by(16) {
        // Four rows of four quads in each vector.
        let mut r = [_mm512_setzero_si512(); 4];
        for (i, r) in r.iter_mut().enumerate() {
            // SAFETY: rows 4i..4i+4 of 16 have block_in bytes each, k + 16 <= block_in.
            let quarter = |j: usize| unsafe {
                load_quarter(rows.as_ptr().add((4 * i + j) * block_in + k).cast())
            };
            *r = _mm512_castsi128_si512(quarter(0));
            *r = _mm512_inserti32x4::<1>(*r, quarter(1));
            *r = _mm512_inserti32x4::<2>(*r, quarter(2));
            *r = _mm512_inserti32x4::<3>(*r, quarter(3));
        }
        // Quad 0 of rows 0..4 of the first and of the second vector; lanes 8..16 are not used.
        let mut pick = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0);
        for quad in 0..4 {
            let low = _mm512_permutex2var_epi32(r[0], pick, r[1]);
            let high = _mm512_permutex2var_epi32(r[2], pick, r[3]);
            let all = _mm512_inserti64x4::<1>(low, _mm512_castsi512_si256(high));
            // SAFETY: quad k/4 + quad of block_in/4 has 64 values.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().add((k / 4 + quad) * 64).cast(), all) }
            pick = _mm512_add_epi32(pick, _mm512_set1_epi32(1));
        }
    }
}
}

on_avx512! {
/// `-128 * sum` of the weights of sixteen channels.
///
/// # Safety
/// `packed` must be whole 64-byte vectors, `bias` must have 16 values.
unsafe fn bias_vnni(packed: &[i8], bias: &mut [i32]) {
    let offset = _mm512_set1_epi8(0x80u8.cast_signed());
    let sum = packed
        .chunks_exact(64)
        .fold(_mm512_setzero_si512(), |sum, w| {
            // SAFETY: `w` has 64 bytes.
            _mm512_dpbusd_epi32(sum, offset, unsafe {
                _mm512_loadu_si512(w.as_ptr().cast())
            })
        });
    let negated = _mm512_sub_epi32(_mm512_setzero_si512(), sum);
    // SAFETY: `bias` has 16 values.
    unsafe { _mm512_storeu_si512(bias.as_mut_ptr().cast(), negated) }
}
}

on_avx512! {
/// # Safety
/// All `n` steps must lie in their buffers, in VNNI's layout for `shape`.
unsafe fn run_vnni(shape: &Shape, n: usize, steps: Steps<u8, i8>) {
    for row in 0..shape.batch {
        for j in (0..shape.block_out).step_by(16) {
            let mut t = 0;
            while t < n {
                // SAFETY: row and channels j..j+16 are within each element; T <= n - t steps from t on exist.
                unsafe {
                    let at = steps.advance(t);
                    let at = Steps {
                        acc: at.acc.add(row * shape.block_out + j),
                        inp: at.inp.add(row * shape.block_in),
                        wgt: at.wgt.add(j * shape.block_in),
                        bias: at.bias.add(j),
                        ..at
                    };
                    let quads = shape.block_in / 4;
                    t += match (n - t, steps.acc_step, steps.wgt_step) {
                        (4.., 0, _) => tile_vnni::<4, true, false>(quads, at),
                        (8.., _, 0) => tile_vnni::<8, false, true>(quads, at),
                        (7, _, 0) => tile_vnni::<7, false, true>(quads, at),
                        (6, _, 0) => tile_vnni::<6, false, true>(quads, at),
                        (5, _, 0) => tile_vnni::<5, false, true>(quads, at),
                        (4, _, 0) => tile_vnni::<4, false, true>(quads, at),
                        (4.., _, _) => tile_vnni::<4, false, false>(quads, at),
                        (2 | 3, 0, _) => tile_vnni::<2, true, false>(quads, at),
                        (2 | 3, _, _) => tile_vnni::<2, false, false>(quads, at),
                        _ => tile_vnni::<1, false, false>(quads, at),
                    };
                }
            }
        }
    }
}
}

on_avx512! {
/// `T` steps for sixteen output channels; `REDUCE`, `SHARED` and the result as for [`tile_avx2`].
///
/// # Safety
/// As [`run_vnni`], for `T` steps.
#[inline]
unsafe fn tile_vnni<const T: usize, const REDUCE: bool, const SHARED: bool>(
    quads: usize,
    s: Steps<u8, i8>,
) -> usize {
    let mut sum = [_mm512_setzero_si512(); T];
    // SAFETY: step t < T of each round exists; each accumulator row and bias has 16 values from here, each input row 4 * quads, each
    // weight group of 16 channels 64 * quads.
    unsafe {
        if !REDUCE {
            for (t, sum) in sum.iter_mut().enumerate() {
                *sum = _mm512_loadu_si512(s.acc.add(t * s.acc_step).cast());
            }
        }
        for round in 0..s.rounds {
            let inp = s.inp.add(round * s.inp_round);
            let wgt = s.wgt.add(round * s.wgt_round);
            let bias = s.bias.add(round * s.bias_round);
            let mut b = _mm512_setzero_si512();
            for (t, sum) in sum.iter_mut().enumerate() {
                if t == 0 || !SHARED {
                    b = _mm512_loadu_si512(bias.add(t * s.bias_step).cast());
                }
                *sum = _mm512_add_epi32(*sum, b);
            }
            for k4 in 0..quads {
                let mut w = _mm512_setzero_si512();
                for (t, sum) in sum.iter_mut().enumerate() {
                    if t == 0 || !SHARED {
                        w = _mm512_loadu_si512(wgt.add(t * s.wgt_step + 64 * k4).cast());
                    }
                    let quad = inp.add(t * s.inp_step + 4 * k4).cast::<i32>().read_unaligned();
                    *sum = _mm512_dpbusd_epi32(*sum, _mm512_set1_epi32(quad), w);
                }
            }
        }
        if REDUCE {
            let at = s.acc.cast();
            let total = sum
                .iter()
                .fold(_mm512_loadu_si512(at), |a, &b| _mm512_add_epi32(a, b));
            _mm512_storeu_si512(at.cast(), total);
        } else {
            for (t, sum) in sum.iter().enumerate() {
                _mm512_storeu_si512(s.acc.add(t * s.acc_step).cast(), *sum);
            }
        }
    }
    T
}
}
