//! Bits to instructions.

use super::bits::FieldReader;
use super::{
    AluInsn, AluOp, DecodeError, Deps, GemmInsn, Insn, InsnIndex, Mem, MemInsn, Operand, RawInsn,
};
use crate::vta::config::Geometry;

/// Decodes one instruction. Unused bits are ignored.
///
/// # Errors
/// [`DecodeError`] for an opcode, memory type or ALU operation that is not defined.
pub fn decode(raw: RawInsn, geometry: &Geometry) -> Result<Insn, DecodeError> {
    let mut low = FieldReader::new(raw.0 as u64);
    let mut high = FieldReader::new((raw.0 >> 64) as u64);
    let opcode = low.u8(3);
    let deps = Deps {
        pop_prev: low.flag(),
        pop_next: low.flag(),
        push_prev: low.flag(),
        push_next: low.flag(),
    };
    match opcode {
        0 => Ok(Insn::Load(mem_insn(deps, low, high)?)),
        1 => Ok(Insn::Store(mem_insn(deps, low, high)?)),
        2 => {
            let (reset, uop_bgn, uop_end, iter_out, iter_in) = loops(&mut low, geometry);
            let (la, li, lw) = (geometry.la(), geometry.li(), geometry.lw());
            Ok(Insn::Gemm(GemmInsn {
                deps,
                reset,
                uop_bgn,
                uop_end,
                iter_out,
                iter_in,
                dst_out: high.u16(la),
                dst_in: high.u16(la),
                src_out: high.u16(li),
                src_in: high.u16(li),
                wgt_out: high.u16(lw),
                wgt_in: high.u16(lw),
            }))
        }
        3 => Ok(Insn::Finish(deps)),
        4 => {
            let (reset, uop_bgn, uop_end, iter_out, iter_in) = loops(&mut low, geometry);
            let la = geometry.la();
            let (dst_out, dst_in) = (high.u16(la), high.u16(la));
            let (src_out, src_in) = (high.u16(la), high.u16(la));
            let op = high.u8(3);
            let use_imm = high.flag();
            let imm = high.u16(16).cast_signed();
            Ok(Insn::Alu(AluInsn {
                deps,
                reset,
                uop_bgn,
                uop_end,
                iter_out,
                iter_in,
                dst_out,
                dst_in,
                src_out,
                src_in,
                op: AluOp::from_id(op).ok_or(DecodeError::AluOp(op))?,
                operand: if use_imm {
                    Operand::Imm(imm)
                } else {
                    Operand::Tensor { imm }
                },
            }))
        }
        _ => Err(DecodeError::Opcode(opcode)),
    }
}

/// Decodes the instructions of a launch.
///
/// # Errors
/// [`DecodeError::At`] for the first that is none.
pub fn decode_program(raw: &[RawInsn], geometry: &Geometry) -> Result<Vec<Insn>, DecodeError> {
    raw.iter()
        .zip(0u32..)
        .map(|(&insn, index)| {
            decode(insn, geometry).map_err(|source| DecodeError::At {
                index: InsnIndex(index),
                source: Box::new(source),
            })
        })
        .collect()
}

fn mem_insn(
    deps: Deps,
    mut low: FieldReader,
    mut high: FieldReader,
) -> Result<MemInsn, DecodeError> {
    let mem = low.u8(3);
    Ok(MemInsn {
        deps,
        mem: Mem::from_id(mem).ok_or(DecodeError::Mem(mem))?,
        sram_base: low.u16(16),
        dram_base: low.take(32),
        y_size: high.u16(16),
        x_size: high.u16(16),
        x_stride: high.u16(16),
        y_pad_0: high.u8(4),
        y_pad_1: high.u8(4),
        x_pad_0: high.u8(4),
        x_pad_1: high.u8(4),
    })
}

fn loops(low: &mut FieldReader, geometry: &Geometry) -> (bool, u16, u16, u16, u16) {
    let lu = geometry.lu();
    (
        low.flag(),
        low.u16(lu),
        low.u16(lu + 1),
        low.u16(14),
        low.u16(14),
    )
}
