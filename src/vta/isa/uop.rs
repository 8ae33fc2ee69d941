//! Micro-operations: three indices in 32 bits.

use super::EncodeError;
use super::bits::FieldWriter;
use crate::vta::config::Geometry;

/// A micro-operation: indices of one accumulator, one source (input, or accumulator for ALU) and one weight element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Uop {
    /// Accumulator element.
    pub dst: u16,
    /// Input element for GEMM, accumulator element for ALU.
    pub src: u16,
    /// Weight element; unused by ALU.
    pub wgt: u16,
}

/// Where the three indices lie in the word under a geometry: `dst` LA bits, `src` max(LA, LI), `wgt` LW, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UopFields {
    dst_bits: u32,
    src_bits: u32,
    wgt_bits: u32,
}

impl UopFields {
    /// The layout under `geometry`.
    pub fn new(geometry: &Geometry) -> Self {
        UopFields {
            dst_bits: geometry.la(),
            src_bits: geometry.la().max(geometry.li()),
            wgt_bits: geometry.lw(),
        }
    }

    /// Decodes a word. Every word is a micro-operation.
    #[inline]
    pub fn decode(&self, word: u32) -> Uop {
        let word = u64::from(word);
        let field = |shift: u32, bits: u32| ((word >> shift) & ((1 << bits) - 1)) as u16;
        Uop {
            dst: field(0, self.dst_bits),
            src: field(self.dst_bits, self.src_bits),
            wgt: field(self.dst_bits + self.src_bits, self.wgt_bits),
        }
    }

    /// Encodes a micro-operation.
    ///
    /// # Errors
    /// [`EncodeError::Field`] if an index is too big for its field.
    pub fn encode(&self, uop: Uop) -> Result<u32, EncodeError> {
        let mut word = FieldWriter::default();
        word.put("dst", uop.dst, self.dst_bits)
            .put("src", uop.src, self.src_bits)
            .put("wgt", uop.wgt, self.wgt_bits);
        Ok(word.finish()? as u32)
    }
}
