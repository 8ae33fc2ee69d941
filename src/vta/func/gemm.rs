//! GEMM: checks once, then regular runs in whatever order is fastest.
//!
//! Accumulation wraps modulo 2^32, so it is commutative and associative, and GEMM neither writes inputs nor weights: the
//! three loops may be nested in any order without changing a bit.

use super::kernel::Run;
use super::{ExecError, Machine};
use crate::vta::isa::{GemmInsn, Mem, Uop};

/// Consecutive micro-operations whose indices grow by constant steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct UopRun {
    first: Uop,
    n: u16,
    dst_step: u16,
    src_step: u16,
    wgt_step: u16,
}

/// How much better a run is that keeps its weights and changes its accumulator: it shares loads between steps.
const SHARED_WEIGHTS: usize = 4;
/// A loop this long is good enough not to look for runs among the micro-operations.
const LONG: usize = 8;

impl Machine {
    pub(super) fn gemm(&mut self, g: &GemmInsn) -> Result<(), ExecError> {
        if !g.reset {
            self.counters.gemm_counter += g.operations();
        }
        if self.skip_execution || g.operations() == 0 {
            return Ok(());
        }
        let uops = self.check_uops(g.uop_bgn, g.uop_end)?;
        let (mut dst, mut src, mut wgt) = (0, 0, 0);
        for uop in &self.uops[uops.clone()] {
            dst = dst.max(uop.dst);
            src = src.max(uop.src);
            wgt = wgt.max(uop.wgt);
        }
        let reach = |first: u16, outer: u16, inner: u16| {
            u64::from(first)
                + u64::from(g.iter_out - 1) * u64::from(outer)
                + u64::from(g.iter_in - 1) * u64::from(inner)
        };
        self.check_index("dst", Mem::Acc, reach(dst, g.dst_out, g.dst_in))?;
        if g.reset {
            self.reset(g, uops);
            return Ok(());
        }
        self.check_index("src", Mem::Inp, reach(src, g.src_out, g.src_in))?;
        self.check_index("wgt", Mem::Wgt, reach(wgt, g.wgt_out, g.wgt_in))?;
        self.multiply(g, uops);
        Ok(())
    }

    /// The range of micro-operations, if the buffer has it.
    pub(super) fn check_uops(
        &self,
        bgn: u16,
        end: u16,
    ) -> Result<std::ops::Range<usize>, ExecError> {
        let depth = self.uops.len();
        let range = usize::from(bgn)..usize::from(end);
        if range.end > depth {
            return Err(ExecError::UopRange { bgn, end, depth });
        }
        Ok(range)
    }

    pub(super) fn check_index(
        &self,
        operand: &'static str,
        mem: Mem,
        reached: u64,
    ) -> Result<(), ExecError> {
        let depth = self.geometry.depth(mem);
        if reached >= depth as u64 {
            return Err(ExecError::Index {
                operand,
                mem,
                reached,
                depth,
            });
        }
        Ok(())
    }

    fn reset(&mut self, g: &GemmInsn, uops: std::ops::Range<usize>) {
        let lanes = self.geometry.batch() * self.geometry.block_out();
        for y in 0..usize::from(g.iter_out) {
            for x in 0..usize::from(g.iter_in) {
                let offset = y * usize::from(g.dst_out) + x * usize::from(g.dst_in);
                for uop in &self.uops[uops.clone()] {
                    let at = (usize::from(uop.dst) + offset) * lanes;
                    self.acc[at..at + lanes].fill(0);
                }
            }
        }
    }

    fn multiply(&mut self, g: &GemmInsn, uops: std::ops::Range<usize>) {
        let outer = Axis::new(g.iter_out, g.dst_out, g.src_out, g.wgt_out);
        let inner = Axis::new(g.iter_in, g.dst_in, g.src_in, g.wgt_in);
        let (long, other) = if outer.merit() >= inner.merit() {
            (outer, inner)
        } else {
            (inner, outer)
        };
        if long.merit() < SHARED_WEIGHTS * LONG {
            find_runs(&self.uops[uops.clone()], &mut self.runs);
            let merit: usize = self.runs.iter().map(UopRun::merit).sum();
            if merit > long.merit() * self.runs.len() {
                self.along_uops(&outer, &inner);
                return;
            }
        }
        // Where the other loop comes back to the same accumulators, it makes rounds of one run.
        let (rounds, runs) = if other.dst == 0 {
            (other.n, 1)
        } else {
            (1, other.n)
        };
        for uop in &self.uops[uops] {
            for x in 0..runs {
                let run = Run {
                    n: long.n,
                    acc: usize::from(uop.dst) + x * other.dst,
                    acc_step: long.dst,
                    inp: usize::from(uop.src) + x * other.src,
                    inp_step: long.src,
                    wgt: usize::from(uop.wgt) + x * other.wgt,
                    wgt_step: long.wgt,
                    rounds,
                    inp_round: other.src,
                    wgt_round: other.wgt,
                };
                self.operands.run(&mut self.acc, &run);
            }
        }
    }

    fn along_uops(&mut self, outer: &Axis, inner: &Axis) {
        for y in 0..outer.n {
            for x in 0..inner.n {
                for uops in &self.runs {
                    let run = Run {
                        n: uops.n.into(),
                        acc: usize::from(uops.first.dst) + y * outer.dst + x * inner.dst,
                        acc_step: uops.dst_step.into(),
                        inp: usize::from(uops.first.src) + y * outer.src + x * inner.src,
                        inp_step: uops.src_step.into(),
                        wgt: usize::from(uops.first.wgt) + y * outer.wgt + x * inner.wgt,
                        wgt_step: uops.wgt_step.into(),
                        rounds: 1,
                        inp_round: 0,
                        wgt_round: 0,
                    };
                    self.operands.run(&mut self.acc, &run);
                }
            }
        }
    }
}

/// One of the instruction's two loops.
#[derive(Clone, Copy)]
struct Axis {
    n: usize,
    dst: usize,
    src: usize,
    wgt: usize,
}

impl Axis {
    fn new(n: u16, dst: u16, src: u16, wgt: u16) -> Self {
        Axis {
            n: n.into(),
            dst: dst.into(),
            src: src.into(),
            wgt: wgt.into(),
        }
    }

    fn merit(&self) -> usize {
        merit(self.n, self.dst, self.wgt)
    }
}

impl UopRun {
    fn merit(&self) -> usize {
        merit(self.n.into(), self.dst_step.into(), self.wgt_step.into())
    }
}

fn merit(n: usize, dst_step: usize, wgt_step: usize) -> usize {
    if dst_step != 0 && wgt_step == 0 {
        n * SHARED_WEIGHTS
    } else {
        n
    }
}

/// Splits micro-operations into maximal runs with constant steps that are not negative; `runs` keeps its capacity.
fn find_runs(uops: &[Uop], runs: &mut Vec<UopRun>) {
    runs.clear();
    let mut at = 0;
    while at < uops.len() {
        let first = uops[at];
        let mut run = UopRun {
            first,
            n: 1,
            dst_step: 0,
            src_step: 0,
            wgt_step: 0,
        };
        if let Some(steps) = uops.get(at + 1).and_then(|next| steps(first, *next)) {
            (run.dst_step, run.src_step, run.wgt_step) = steps;
            while let Some(&[last, next]) = uops
                .get(at + usize::from(run.n) - 1..)
                .and_then(|u| u.first_chunk())
                && self::steps(last, next) == Some(steps)
            {
                run.n += 1;
            }
        }
        at += usize::from(run.n);
        runs.push(run);
    }
}

fn steps(from: Uop, to: Uop) -> Option<(u16, u16, u16)> {
    Some((
        to.dst.checked_sub(from.dst)?,
        to.src.checked_sub(from.src)?,
        to.wgt.checked_sub(from.wgt)?,
    ))
}
