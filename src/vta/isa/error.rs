//! What can be wrong with bits and with fields.

use super::InsnIndex;

/// Bits that are no instruction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Opcodes 5 to 7 are free.
    #[error("opcode {0} is free; known are load 0, store 1, gemm 2, finish 3, alu 4")]
    Opcode(u8),
    /// Memory types 6 and 7 are free.
    #[error("memory type {0} is free; known are uop 0, wgt 1, inp 2, acc 3, out 4, acc8 5")]
    Mem(u8),
    /// ALU operations 5 to 7 are free.
    #[error("ALU operation {0} is free; known are min 0, max 1, add 2, shr 3, mul 4")]
    AluOp(u8),
    /// The same, with where.
    #[error("instruction {index}: {source}")]
    At {
        /// Which instruction.
        index: InsnIndex,
        /// What is wrong with it.
        source: Box<DecodeError>,
    },
}

/// A field value that its bits cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Too big for the field under this geometry.
    #[error("{field} = {value} needs more than the {width} bits it has in this geometry")]
    Field {
        /// Field name.
        field: &'static str,
        /// What was to be encoded.
        value: u64,
        /// Bits of the field.
        width: u32,
    },
}

impl From<(&'static str, u64, u32)> for EncodeError {
    fn from((field, value, width): (&'static str, u64, u32)) -> Self {
        EncodeError::Field {
            field,
            value,
            width,
        }
    }
}
