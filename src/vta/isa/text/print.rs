//! Instructions to text: the disassembler.

use crate::vta::isa::{AluInsn, Deps, GemmInsn, Insn, MemInsn, Module, Operand};
use std::fmt::{self, Display, Formatter};

impl Display for Insn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Insn::Load(m) => mem_insn(f, "load", m, self.module())?,
            Insn::Store(m) => mem_insn(f, "store", m, self.module())?,
            Insn::Gemm(g) => gemm(f, g)?,
            Insn::Alu(a) => alu(f, a)?,
            Insn::Finish(_) => f.write_str("finish")?,
        }
        deps(f, self.deps(), self.module())
    }
}

fn mem_insn(f: &mut Formatter<'_>, mnemonic: &str, m: &MemInsn, module: Module) -> fmt::Result {
    if *m == MemInsn::nop(super::super::nop_mem(module), m.deps) {
        return write!(f, "nop.{module}");
    }
    write!(
        f,
        "{mnemonic}.{} sram={} dram={:#x}",
        m.mem, m.sram_base, m.dram_base
    )?;
    write!(f, " y={} x={} stride={}", m.y_size, m.x_size, m.x_stride)?;
    let pads = [m.y_pad_0, m.y_pad_1, m.x_pad_0, m.x_pad_1];
    if pads != [0; 4] {
        write!(f, " pad={},{},{},{}", pads[0], pads[1], pads[2], pads[3])?;
    }
    Ok(())
}

fn gemm(f: &mut Formatter<'_>, g: &GemmInsn) -> fmt::Result {
    f.write_str(if g.reset { "gemm.reset" } else { "gemm" })?;
    write!(
        f,
        " uops={}..{} outer={} inner={}",
        g.uop_bgn, g.uop_end, g.iter_out, g.iter_in
    )?;
    write!(f, " dst={},{}", g.dst_out, g.dst_in)?;
    write!(f, " src={},{}", g.src_out, g.src_in)?;
    write!(f, " wgt={},{}", g.wgt_out, g.wgt_in)
}

fn alu(f: &mut Formatter<'_>, a: &AluInsn) -> fmt::Result {
    write!(f, "alu.{} uops={}..{}", a.op, a.uop_bgn, a.uop_end)?;
    write!(f, " outer={} inner={}", a.iter_out, a.iter_in)?;
    write!(
        f,
        " dst={},{} src={},{}",
        a.dst_out, a.dst_in, a.src_out, a.src_in
    )?;
    match a.operand {
        Operand::Imm(imm) => write!(f, " imm={imm}")?,
        Operand::Tensor { imm: 0 } => {}
        Operand::Tensor { imm } => write!(f, " unused_imm={imm}")?,
    }
    if a.reset {
        f.write_str(" reset")?;
    }
    Ok(())
}

/// Bits that lead to no neighbour (a load's "previous") are printed by their field name.
fn deps(f: &mut Formatter<'_>, deps: Deps, module: Module) -> fmt::Result {
    let (prev, next) = super::super::neighbours(module);
    let bits = [
        (deps.pop_prev, '<', prev, "pop_prev"),
        (deps.pop_next, '<', next, "pop_next"),
        (deps.push_prev, '>', prev, "push_prev"),
        (deps.push_next, '>', next, "push_next"),
    ];
    for (set, arrow, neighbour, field) in bits {
        match neighbour {
            _ if !set => {}
            Some(neighbour) => write!(f, " {arrow}{neighbour}")?,
            None => write!(f, " {field}")?,
        }
    }
    Ok(())
}
