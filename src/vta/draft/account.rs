//! What a stream comes to, without executing it.

use crate::vta::config::{Geometry, Mem};
use crate::vta::isa::Insn;
use crate::vta::program::Counters;

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
