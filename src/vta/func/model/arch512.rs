//! The 512-bit instructions as their manual describes them, in plain code.

/// Sixteen 32-bit values.
#[derive(Clone, Copy)]
pub(super) struct Vector([i32; 16]);

type Quarter = [i32; 4];

impl Vector {
    fn map(self, other: Vector, f: impl Fn(i32, i32) -> i32) -> Vector {
        Vector(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

pub(super) fn is_available() -> bool {
    true
}

pub(super) unsafe fn load_quarter(from: *const Quarter) -> Quarter {
    // SAFETY: the caller vouches for 16 bytes.
    unsafe { from.read_unaligned() }
}

pub(super) unsafe fn _mm512_loadu_si512(from: *const Vector) -> Vector {
    // SAFETY: the caller vouches for 64 bytes.
    unsafe { from.read_unaligned() }
}

pub(super) unsafe fn _mm512_storeu_si512(to: *mut Vector, value: Vector) {
    // SAFETY: the caller vouches for 64 bytes.
    unsafe { to.write_unaligned(value) }
}

pub(super) fn _mm512_setzero_si512() -> Vector {
    Vector([0; 16])
}

pub(super) fn _mm512_set1_epi32(value: i32) -> Vector {
    Vector([value; 16])
}

pub(super) fn _mm512_set1_epi8(value: i8) -> Vector {
    Vector([i32::from_le_bytes([value.cast_unsigned(); 4]); 16])
}

#[expect(clippy::too_many_arguments, reason = "as the instruction has them")]
pub(super) fn _mm512_setr_epi32(
    a: i32,
    b: i32,
    c: i32,
    d: i32,
    e: i32,
    f: i32,
    g: i32,
    h: i32,
    i: i32,
    j: i32,
    k: i32,
    l: i32,
    m: i32,
    n: i32,
    o: i32,
    p: i32,
) -> Vector {
    Vector([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
}

pub(super) fn _mm512_add_epi32(a: Vector, b: Vector) -> Vector {
    a.map(b, i32::wrapping_add)
}

pub(super) fn _mm512_sub_epi32(a: Vector, b: Vector) -> Vector {
    a.map(b, i32::wrapping_sub)
}

/// Unsigned bytes of `a` times signed bytes of `b`, four products added to each value without saturation.
pub(super) fn _mm512_dpbusd_epi32(sum: Vector, a: Vector, b: Vector) -> Vector {
    let products = a.map(b, |a, b| {
        let pairs = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
        pairs
            .map(|(a, b)| i32::from(a) * i32::from(b.cast_signed()))
            .sum()
    });
    _mm512_add_epi32(sum, products)
}

/// Bits 0 to 3 of an index choose the value, bit 4 the vector.
pub(super) fn _mm512_permutex2var_epi32(a: Vector, index: Vector, b: Vector) -> Vector {
    Vector(index.0.map(|i| {
        let from = if i & 16 == 0 { a } else { b };
        from.0[i as usize & 15]
    }))
}

/// The upper three quarters are undefined: not zero here, so that nobody relies on it.
pub(super) fn _mm512_castsi128_si512(quarter: Quarter) -> Vector {
    _mm512_inserti32x4::<0>(Vector([0x5a5a_5a5a; 16]), quarter)
}

pub(super) fn _mm512_castsi512_si256(vector: Vector) -> [i32; 8] {
    std::array::from_fn(|i| vector.0[i])
}

pub(super) fn _mm512_inserti32x4<const AT: usize>(mut vector: Vector, quarter: Quarter) -> Vector {
    vector.0[4 * AT..4 * AT + 4].copy_from_slice(&quarter);
    vector
}

pub(super) fn _mm512_inserti64x4<const AT: usize>(mut vector: Vector, half: [i32; 8]) -> Vector {
    vector.0[8 * AT..8 * AT + 8].copy_from_slice(&half);
    vector
}
