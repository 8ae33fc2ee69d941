//! Random GEMM and ALU instructions with their micro-operations.

use super::{Builder, Choices, UOP_ADDR};
use crate::vta::config::Mem;
use crate::vta::isa::{AluInsn, AluOp, Deps, GemmInsn, Insn, MemInsn, Operand, UOP_BYTES, Uop};
use std::ops::Range;

/// Most iterations of one loop.
const MAX_ITER: u64 = 12;
/// Most micro-operations of one instruction.
const MAX_UOPS: u64 = 9;

/// One operand's walk through its buffer: steps per iteration, and where micro-operations may point.
struct Walk {
    outer: u16,
    inner: u16,
    first: Range<u64>,
}

impl<C: Choices> Builder<'_, C> {
    pub(super) fn gemm(&mut self, half: u64, halves: u64) {
        let (iter_out, iter_in) = self.extents();
        let dst = self.walk(self.region(Mem::Acc, half, halves), iter_out, iter_in);
        let src = self.walk(self.region(Mem::Inp, half, halves), iter_out, iter_in);
        let wgt = self.walk(self.region(Mem::Wgt, half, halves), iter_out, iter_in);
        let (uop_bgn, uop_end) = self.uops(&dst, &src, Some(&wgt));
        let reset = self.choices.once_in(4);
        self.insns.push(Insn::Gemm(GemmInsn {
            deps: Deps::default(),
            reset,
            uop_bgn,
            uop_end,
            iter_out: iter_out as u16,
            iter_in: iter_in as u16,
            dst_out: dst.outer,
            dst_in: dst.inner,
            src_out: src.outer,
            src_in: src.inner,
            wgt_out: wgt.outer,
            wgt_in: wgt.inner,
        }));
    }

    pub(super) fn alu(&mut self, half: u64, halves: u64) {
        let (iter_out, iter_in) = self.extents();
        let dst = self.walk(self.region(Mem::Acc, half, halves), iter_out, iter_in);
        let src = self.walk(self.region(Mem::Acc, half, halves), iter_out, iter_in);
        let (uop_bgn, uop_end) = self.uops(&dst, &src, None);
        let op = self.choices.pick(AluOp::ALL);
        let imm = match self.choices.below(3) {
            0 => self.choices.below(64) as i16 - 32,
            1 => self.choices.below(1 << 16) as u16 as i16,
            _ => self.choices.pick([0, 1, -1, i16::MIN, i16::MAX]),
        };
        let operand = if self.choices.once_in(2) {
            Operand::Tensor { imm }
        } else {
            Operand::Imm(imm)
        };
        let reset = self.choices.once_in(8);
        self.insns.push(Insn::Alu(AluInsn {
            deps: Deps::default(),
            reset,
            uop_bgn,
            uop_end,
            iter_out: iter_out as u16,
            iter_in: iter_in as u16,
            dst_out: dst.outer,
            dst_in: dst.inner,
            src_out: src.outer,
            src_in: src.inner,
            op,
            operand,
        }));
    }

    fn extents(&mut self) -> (u64, u64) {
        let extent = |choices: &mut C| match choices.below(4) {
            0 => 1,
            1 => choices.within(0, 3),
            _ => choices.within(1, MAX_ITER),
        };
        (extent(self.choices), extent(self.choices))
    }

    /// Steps that keep every iteration inside `region`.
    fn walk(&mut self, region: Range<u64>, iter_out: u64, iter_in: u64) -> Walk {
        let mut room = region.end - region.start - 1;
        let mut step = |iterations: u64| {
            let steps = iterations.saturating_sub(1);
            let most = room.checked_div(steps).unwrap_or(room);
            let step = match self.choices.below(4) {
                0 => 0,
                1 | 2 => 1.min(most),
                _ => self.choices.within(0, most),
            };
            room -= step * steps;
            step as u16
        };
        let (outer, inner) = (step(iter_out), step(iter_in));
        Walk {
            outer,
            inner,
            first: region.start..region.start + room + 1,
        }
    }

    /// Emits a LOAD UOP of new micro-operations and returns where they lie in the buffer. Most follow a pattern, as
    /// compiled ones do.
    fn uops(&mut self, dst: &Walk, src: &Walk, wgt: Option<&Walk>) -> (u16, u16) {
        let depth = self.geometry.depth(Mem::Uop) as u64;
        let n = self.choices.within(0, MAX_UOPS.min(depth));
        if n == 0 {
            return (0, 0);
        }
        let at = self.choices.within(0, depth - n);
        let first_word = self.uops.len() as u64;
        let mut index = |walk: &Walk| {
            let room = walk.first.end - walk.first.start;
            let base = self.choices.below(room);
            let step = match self.choices.below(4) {
                0 => 0,
                1 | 2 => 1,
                _ => self.choices.below(room),
            };
            let scattered = self.choices.once_in(3);
            (0..n)
                .map(|i| {
                    let at = if scattered {
                        self.choices.below(room)
                    } else {
                        (base + i * step) % room
                    };
                    (walk.first.start + at) as u16
                })
                .collect::<Vec<u16>>()
        };
        let (dst, src) = (index(dst), index(src));
        let wgt = wgt.map_or_else(|| vec![0; n as usize], index);
        for ((dst, src), wgt) in dst.into_iter().zip(src).zip(wgt) {
            self.uops.push(Uop { dst, src, wgt });
        }
        self.insns.push(Insn::Load(MemInsn {
            sram_base: at as u16,
            dram_base: (UOP_ADDR / UOP_BYTES as u64 + first_word) as u32,
            y_size: 1,
            x_size: n as u16,
            x_stride: n as u16,
            ..MemInsn::nop(Mem::Uop, Deps::default())
        }));
        (at as u16, (at + n) as u16)
    }
}
