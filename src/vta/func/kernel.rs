//! Which code executes GEMM, and what one call of it does.

use crate::vta::config::Geometry;
use serde::{Deserialize, Serialize};

/// The code that executes GEMM. All give identical bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GemmPath {
    /// Portable; the only one for widths other than int8.
    Scalar,
    /// 256-bit vectors, 16-bit products.
    Avx2,
    /// 512-bit vectors, `vpdpbusd`.
    Avx512Vnni,
}

impl GemmPath {
    /// Every path, slowest first.
    pub const ALL: [GemmPath; 3] = [GemmPath::Scalar, GemmPath::Avx2, GemmPath::Avx512Vnni];

    /// The fastest path that this processor and this geometry allow.
    pub fn detect(geometry: &Geometry) -> Self {
        let available = GemmPath::ALL
            .into_iter()
            .rev()
            .find(|path| path.is_available(geometry));
        available.unwrap_or(GemmPath::Scalar)
    }

    /// True if this processor has the instructions and the geometry is int8 with blocks that fill the vectors.
    pub fn is_available(self, geometry: &Geometry) -> bool {
        let int8 = geometry.inp_bits() == 8 && geometry.wgt_bits() == 8;
        let (block_in, block_out) = (geometry.block_in(), geometry.block_out());
        match self {
            GemmPath::Scalar => true,
            GemmPath::Avx2 => int8 && block_in >= 2 && block_out >= 8 && has_avx2(),
            GemmPath::Avx512Vnni => int8 && block_in >= 4 && block_out >= 16 && has_avx512_vnni(),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            GemmPath::Scalar => "scalar",
            GemmPath::Avx2 => "avx2",
            GemmPath::Avx512Vnni => "avx512-vnni",
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512_vnni() -> bool {
    super::arch512::is_available()
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx512_vnni() -> bool {
    false
}

/// `rounds * n` micro-operations at regular distances, all in elements: `acc[acc + t*acc_step] += inp[inp + t*inp_step +
/// r*inp_round] * wgt[wgt + t*wgt_step + r*wgt_round]^T` for `t` in `0..n`, `r` in `0..rounds`. Rounds come back to the
/// same accumulators, which a path can keep in registers meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub n: usize,
    pub acc: usize,
    pub acc_step: usize,
    pub inp: usize,
    pub inp_step: usize,
    pub wgt: usize,
    pub wgt_step: usize,
    pub rounds: usize,
    pub inp_round: usize,
    pub wgt_round: usize,
}

/// Sizes that kernels work with: elements are `[batch][block_in]`, `[block_out][block_in]`, `[batch][block_out]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub batch: usize,
    pub block_in: usize,
    pub block_out: usize,
    pub inp_depth: usize,
    pub wgt_depth: usize,
}

/// A run in plain code, for any value type.
pub(super) fn scalar_run<T: Copy + Into<i32>>(
    shape: &Shape,
    acc: &mut [i32],
    inp: &[T],
    wgt: &[T],
    run: &Run,
) {
    let Shape {
        batch,
        block_in,
        block_out,
        ..
    } = *shape;
    for r in 0..run.rounds {
        for t in 0..run.n {
            let at = (run.wgt + t * run.wgt_step + r * run.wgt_round) * block_out * block_in;
            let wgt = &wgt[at..at + block_out * block_in];
            let at = (run.inp + t * run.inp_step + r * run.inp_round) * batch * block_in;
            let inp = &inp[at..at + batch * block_in];
            let at = (run.acc + t * run.acc_step) * batch * block_out;
            let acc = &mut acc[at..at + batch * block_out];
            for (inp, acc) in inp
                .chunks_exact(block_in)
                .zip(acc.chunks_exact_mut(block_out))
            {
                for (wgt, acc) in wgt.chunks_exact(block_in).zip(acc) {
                    *acc = inp.iter().zip(wgt).fold(*acc, |sum, (&inp, &wgt)| {
                        sum.wrapping_add(inp.into().wrapping_mul(wgt.into()))
                    });
                }
            }
        }
    }
}
