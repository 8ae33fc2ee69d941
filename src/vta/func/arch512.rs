//! The 512-bit instructions that `simd.rs` uses, by one name each, so that a test can put a plain model in their place:
//! not every machine that runs the tests has them.

pub(super) use std::arch::x86_64::{
    _mm_loadu_si128 as load_quarter, _mm512_add_epi32, _mm512_castsi128_si512,
    _mm512_castsi512_si256, _mm512_dpbusd_epi32, _mm512_inserti32x4, _mm512_inserti64x4,
    _mm512_loadu_si512, _mm512_permutex2var_epi32, _mm512_set1_epi8, _mm512_set1_epi32,
    _mm512_setr_epi32, _mm512_setzero_si512, _mm512_storeu_si512, _mm512_sub_epi32,
};

/// True if the processor has them.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")
}
