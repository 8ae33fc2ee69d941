//! The instruction set: 128-bit instructions and 32-bit micro-operations, decoded and encoded as functions of the
//! geometry, and their readable text form (spec section 2).

mod bits;
mod decode;
mod encode;
mod error;
mod insn;
pub mod text;
mod uop;

use insn::{neighbours, nop_mem};

pub use super::config::Mem;
pub use decode::{decode, decode_program};
pub use error::{DecodeError, EncodeError};
pub use insn::{
    AluInsn, AluOp, Deps, GemmInsn, Insn, InsnIndex, MemInsn, Module, Operand, RawInsn, Token,
};
pub use uop::{Uop, UopFields};

/// Bytes of an instruction.
pub const INSN_BYTES: usize = 16;
/// Bytes of a micro-operation.
pub const UOP_BYTES: usize = 4;
