//! What a stream comes to, without executing it.

use crate::vta::config::{Geometry, Mem};
use crate::vta::isa::{Insn, Token};
use crate::vta::program::Counters;

/// Tokens that a stream which begins without any leaves behind, in the order of [`Token::ALL`]: all of it is executed, so
/// what was given and not taken.
pub(super) fn tokens_after<'a>(insns: impl Iterator<Item = &'a Insn>) -> [u8; 4] {
    let mut tokens = [0_u64; Token::ALL.len()];
    for insn in insns {
        for token in insn.pushes().into_iter().flatten() {
            tokens[token.index()] += 1;
        }
        for token in insn.pops().into_iter().flatten() {
            tokens[token.index()] = tokens[token.index()].wrapping_sub(1);
        }
    }
    // The counters have 8 bits and saturate.
    tokens.map(|count| count.min(u8::MAX.into()) as u8)
}

/// The functional model's statistics of a stream.
pub(super) fn counters<'a>(insns: impl Iterator<Item = &'a Insn>, geometry: &Geometry) -> Counters {
    let mut counters = Counters::default();
    for insn in insns {
        match insn {
            Insn::Load(m) => {
                let bytes = |mem| m.elements() << geometry.log_elem_bytes(mem);
                match m.mem {
                    Mem::Uop => counters.uop_load_nbytes += bytes(Mem::Uop),
                    Mem::Wgt => counters.wgt_load_nbytes += bytes(Mem::Wgt),
                    Mem::Inp => counters.inp_load_nbytes += bytes(Mem::Inp),
                    // ACC_8BIT counts what it writes.
                    Mem::Acc | Mem::Acc8 => counters.acc_load_nbytes += bytes(Mem::Acc),
                    Mem::Out => {}
                }
            }
            Insn::Store(m) => {
                counters.out_store_nbytes += m.elements() << geometry.log_elem_bytes(Mem::Out);
            }
            Insn::Gemm(g) if !g.reset => counters.gemm_counter += g.operations(),
            Insn::Alu(a) => counters.alu_counter += a.operations(),
            Insn::Gemm(_) | Insn::Finish(_) => {}
        }
    }
    counters
}
