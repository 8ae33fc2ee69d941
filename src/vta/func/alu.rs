//! ALU: element-wise operations on accumulators, micro-operations strictly one after another.

use super::{ExecError, Machine};
use crate::vta::isa::{AluInsn, AluOp, Mem, Operand, Uop};

impl Machine {
    pub(super) fn alu(&mut self, a: &AluInsn) -> Result<(), ExecError> {
        self.counters.alu_counter += a.operations();
        if self.skip_execution || a.operations() == 0 {
            return Ok(());
        }
        let uops = self.check_uops(a.uop_bgn, a.uop_end)?;
        let uops = &self.uops[uops];
        let dst = uops.iter().map(|uop| uop.dst).max().unwrap_or(0);
        let src = uops.iter().map(|uop| uop.src).max().unwrap_or(0);
        let reach = |first: u16, outer: u16, inner: u16| {
            u64::from(first)
                + u64::from(a.iter_out - 1) * u64::from(outer)
                + u64::from(a.iter_in - 1) * u64::from(inner)
        };
        self.check_index("dst", Mem::Acc, reach(dst, a.dst_out, a.dst_in))?;
        if !a.operand.is_imm() {
            self.check_index("src", Mem::Acc, reach(src, a.src_out, a.src_in))?;
        }
        let lanes = self.geometry.batch() * self.geometry.block_out();
        dispatch(&mut self.acc, lanes, a, uops);
        Ok(())
    }
}

#[cfg(target_arch = "x86_64")]
fn dispatch(acc: &mut [i32], lanes: usize, a: &AluInsn, uops: &[Uop]) {
    super::simd::alu(acc, lanes, a, uops);
}

#[cfg(not(target_arch = "x86_64"))]
fn dispatch(acc: &mut [i32], lanes: usize, a: &AluInsn, uops: &[Uop]) {
    execute(acc, lanes, a, uops);
}

/// The whole instruction, its indices checked. Inlined into its callers so that each is compiled for its vectors.
#[inline(always)]
pub(super) fn execute(acc: &mut [i32], lanes: usize, a: &AluInsn, uops: &[Uop]) {
    match a.op {
        AluOp::Min => operate(acc, lanes, a, uops, i32::min),
        AluOp::Max => operate(acc, lanes, a, uops, i32::max),
        AluOp::Add => operate(acc, lanes, a, uops, i32::wrapping_add),
        AluOp::Mul => operate(acc, lanes, a, uops, i32::wrapping_mul),
        AluOp::Shr => operate(acc, lanes, a, uops, shift),
    }
}

/// Arithmetic shift right by `b`, or left by `-b`. Beyond 31 the original is undefined; here the amount is taken modulo
/// 32, as the hardware's five bits do.
#[inline(always)]
fn shift(a: i32, b: i32) -> i32 {
    if b >= 0 {
        a.wrapping_shr(b as u32)
    } else {
        a.wrapping_shl(b.wrapping_neg() as u32)
    }
}

#[inline(always)]
fn operate(
    acc: &mut [i32],
    lanes: usize,
    a: &AluInsn,
    uops: &[Uop],
    op: impl Fn(i32, i32) -> i32 + Copy,
) {
    // One micro-operation whose inner loop walks through neighbours is one long vector, unless a step reads what an
    // earlier one wrote.
    let dense = uops.len() == 1 && a.dst_in == 1 && (a.operand.is_imm() || a.src_in == 1);
    let (inner, width) = if dense {
        (1, usize::from(a.iter_in))
    } else {
        (usize::from(a.iter_in), 1)
    };
    for y in 0..usize::from(a.iter_out) {
        for x in 0..inner {
            let dst_offset = y * usize::from(a.dst_out) + x * usize::from(a.dst_in);
            let src_offset = y * usize::from(a.src_out) + x * usize::from(a.src_in);
            for uop in uops {
                let dst = (usize::from(uop.dst) + dst_offset) * lanes;
                let dst = dst..dst + width * lanes;
                match a.operand {
                    Operand::Imm(imm) => {
                        let imm = i32::from(imm);
                        acc[dst].iter_mut().for_each(|a| *a = op(*a, imm));
                    }
                    Operand::Tensor { .. } => {
                        let src = (usize::from(uop.src) + src_offset) * lanes;
                        tensor(acc, lanes, dst, src, op);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn tensor(
    acc: &mut [i32],
    lanes: usize,
    dst: std::ops::Range<usize>,
    src: usize,
    op: impl Fn(i32, i32) -> i32 + Copy,
) {
    if dst.start == src {
        acc[dst].iter_mut().for_each(|a| *a = op(*a, *a));
    } else if let Ok([dst, src]) = acc.get_disjoint_mut([dst.clone(), src..src + dst.len()]) {
        dst.iter_mut().zip(src).for_each(|(a, b)| *a = op(*a, *b));
    } else {
        // The ranges overlap, a whole number of elements apart: one element after the other.
        for at in (0..dst.len()).step_by(lanes) {
            for lane in at..at + lanes {
                acc[dst.start + lane] = op(acc[dst.start + lane], acc[src + lane]);
            }
        }
    }
}
