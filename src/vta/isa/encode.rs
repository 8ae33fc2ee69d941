//! Instructions to bits.

use super::bits::FieldWriter;
use super::{EncodeError, Insn, MemInsn, RawInsn};
use crate::vta::config::Geometry;

impl Insn {
    /// The instruction's bits; unused bits are zero.
    ///
    /// # Errors
    /// [`EncodeError::Field`] names the field that is too narrow for its value under this geometry.
    pub fn encode(&self, geometry: &Geometry) -> Result<RawInsn, EncodeError> {
        let mut low = FieldWriter::default();
        let mut high = FieldWriter::default();
        let opcode: u64 = match self {
            Insn::Load(_) => 0,
            Insn::Store(_) => 1,
            Insn::Gemm(_) => 2,
            Insn::Finish(_) => 3,
            Insn::Alu(_) => 4,
        };
        let deps = self.deps();
        low.put("opcode", opcode, 3)
            .put("pop_prev", deps.pop_prev, 1)
            .put("pop_next", deps.pop_next, 1)
            .put("push_prev", deps.push_prev, 1)
            .put("push_next", deps.push_next, 1);
        let (lu, la, li, lw) = (geometry.lu(), geometry.la(), geometry.li(), geometry.lw());
        match self {
            Insn::Load(m) | Insn::Store(m) => mem_insn(m, &mut low, &mut high),
            Insn::Gemm(g) => {
                low.put("reset", g.reset, 1)
                    .put("uop_bgn", g.uop_bgn, lu)
                    .put("uop_end", g.uop_end, lu + 1)
                    .put("iter_out", g.iter_out, 14)
                    .put("iter_in", g.iter_in, 14);
                high.put("dst_out", g.dst_out, la)
                    .put("dst_in", g.dst_in, la)
                    .put("src_out", g.src_out, li)
                    .put("src_in", g.src_in, li)
                    .put("wgt_out", g.wgt_out, lw)
                    .put("wgt_in", g.wgt_in, lw);
            }
            Insn::Alu(a) => {
                low.put("reset", a.reset, 1)
                    .put("uop_bgn", a.uop_bgn, lu)
                    .put("uop_end", a.uop_end, lu + 1)
                    .put("iter_out", a.iter_out, 14)
                    .put("iter_in", a.iter_in, 14);
                high.put("dst_out", a.dst_out, la)
                    .put("dst_in", a.dst_in, la)
                    .put("src_out", a.src_out, la)
                    .put("src_in", a.src_in, la)
                    .put("alu_op", a.op.id(), 3)
                    .put("use_imm", a.operand.is_imm(), 1)
                    .put("imm", a.operand.imm().cast_unsigned(), 16);
            }
            Insn::Finish(_) => {}
        }
        let (low, high) = (low.finish()?, high.finish()?);
        Ok(RawInsn(u128::from(low) | u128::from(high) << 64))
    }
}

fn mem_insn(m: &MemInsn, low: &mut FieldWriter, high: &mut FieldWriter) {
    low.put("mem_type", m.mem.id(), 3)
        .put("sram_base", m.sram_base, 16)
        .put("dram_base", m.dram_base, 32);
    high.put("y_size", m.y_size, 16)
        .put("x_size", m.x_size, 16)
        .put("x_stride", m.x_stride, 16)
        .put("y_pad_0", m.y_pad_0, 4)
        .put("y_pad_1", m.y_pad_1, 4)
        .put("x_pad_0", m.x_pad_0, 4)
        .put("x_pad_1", m.x_pad_1, 4);
}
