//! Micro-operation kernels: what one GEMM or ALU call of a compiled function does, recorded once.

use super::KernelError;
use crate::vta::isa::{AluOp, Uop};

/// A loop around a kernel's micro-operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UopLoop {
    /// Iterations.
    pub extent: u16,
    /// Step of `dst`.
    pub dst: u16,
    /// Step of `src`.
    pub src: u16,
    /// Step of `wgt`.
    pub wgt: u16,
}

/// GEMM or ALU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UopMode {
    /// Pushed by `VTAPushGEMMOp`.
    Gemm,
    /// Pushed by `VTAPushALUOp`.
    Alu,
}

impl UopMode {
    fn name(self) -> &'static str {
        match self {
            UopMode::Gemm => "GEMM",
            UopMode::Alu => "ALU",
        }
    }
}

/// What a kernel's instruction does; the same for all its micro-operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelOp {
    /// Matrix multiply-accumulate, or clearing.
    Gemm {
        /// Clear instead.
        reset: bool,
    },
    /// Element-wise operation.
    Alu {
        /// Which.
        op: AluOp,
        /// The second operand is the immediate.
        use_imm: bool,
        /// The immediate.
        imm: i16,
    },
}

impl KernelOp {
    fn mode(self) -> UopMode {
        match self {
            KernelOp::Gemm { .. } => UopMode::Gemm,
            KernelOp::Alu { .. } => UopMode::Alu,
        }
    }
}

/// The arguments of `VTAUopPush`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UopCall {
    /// GEMM 0, ALU 1.
    pub mode: u32,
    /// GEMM: clear instead.
    pub reset_out: u32,
    /// Accumulator element.
    pub dst_index: u32,
    /// Source element.
    pub src_index: u32,
    /// Weight element.
    pub wgt_index: u32,
    /// ALU operation.
    pub opcode: u32,
    /// ALU: the second operand is the immediate.
    pub use_imm: u32,
    /// The immediate.
    pub imm_val: i32,
}

/// A recorded kernel: its operation, at most two loops, and micro-operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UopKernel {
    /// What the instruction does.
    pub op: KernelOp,
    /// Loops, outer first.
    pub loops: Vec<UopLoop>,
    /// Micro-operations, at least one.
    pub uops: Vec<Uop>,
}

impl UopKernel {
    /// Checks that the kernel is pushed as what it was recorded for.
    ///
    /// # Errors
    /// [`KernelError::Push`].
    pub fn check_mode(&self, pushed: UopMode) -> Result<(), KernelError> {
        let recorded = self.op.mode();
        if recorded == pushed {
            return Ok(());
        }
        Err(KernelError::Push {
            recorded: recorded.name(),
            pushed: pushed.name(),
        })
    }
}

/// Records a kernel from the calls of the generated code.
#[derive(Debug, Default)]
pub struct KernelBuilder {
    op: Option<KernelOp>,
    loops: Vec<UopLoop>,
    ends: usize,
    uops: Vec<Uop>,
}

impl KernelBuilder {
    /// Nothing recorded yet.
    pub fn new() -> Self {
        KernelBuilder::default()
    }

    /// `VTAUopLoopBegin`: steps are per iteration.
    ///
    /// # Errors
    /// [`KernelError`] for a third loop, a loop after micro-operations, and numbers beyond 16 bits.
    pub fn loop_begin(
        &mut self,
        extent: u32,
        dst_factor: u32,
        src_factor: u32,
        wgt_factor: u32,
    ) -> Result<(), KernelError> {
        if !self.uops.is_empty() {
            return Err(KernelError::LateLoop);
        }
        if self.loops.len() == 2 {
            return Err(KernelError::Loops);
        }
        self.loops.push(UopLoop {
            extent: field("extent", extent)?,
            dst: field("dst_factor", dst_factor)?,
            src: field("src_factor", src_factor)?,
            wgt: field("wgt_factor", wgt_factor)?,
        });
        Ok(())
    }

    /// `VTAUopLoopEnd`.
    ///
    /// # Errors
    /// [`KernelError::Unbalanced`] without a loop to end.
    pub fn loop_end(&mut self) -> Result<(), KernelError> {
        self.ends += 1;
        if self.ends > self.loops.len() {
            return Err(self.unbalanced());
        }
        Ok(())
    }

    fn unbalanced(&self) -> KernelError {
        KernelError::Unbalanced {
            begins: self.loops.len(),
            ends: self.ends,
        }
    }

    /// `VTAUopPush`.
    ///
    /// # Errors
    /// [`KernelError`] if the micro-operation differs from the first in what the instruction holds once, writes the
    /// accumulator that one of the two before it writes, or has numbers beyond their fields.
    pub fn push(&mut self, call: &UopCall) -> Result<(), KernelError> {
        let index = self.uops.len();
        let op = operation(call)?;
        if *self.op.get_or_insert(op) != op {
            return Err(KernelError::Mixed { index });
        }
        let uop = Uop {
            dst: field("dst", call.dst_index)?,
            src: field("src", call.src_index)?,
            wgt: field("wgt", call.wgt_index)?,
        };
        if self
            .uops
            .iter()
            .rev()
            .take(2)
            .any(|earlier| earlier.dst == uop.dst)
        {
            return Err(KernelError::DstConflict {
                index,
                dst: uop.dst,
            });
        }
        self.uops.push(uop);
        Ok(())
    }

    /// The kernel.
    ///
    /// # Errors
    /// [`KernelError::Empty`], [`KernelError::Unbalanced`].
    pub fn finish(self) -> Result<UopKernel, KernelError> {
        if self.ends != self.loops.len() {
            return Err(self.unbalanced());
        }
        let op = self.op.ok_or(KernelError::Empty)?;
        Ok(UopKernel {
            op,
            loops: self.loops,
            uops: self.uops,
        })
    }
}

fn operation(call: &UopCall) -> Result<KernelOp, KernelError> {
    match call.mode {
        0 => Ok(KernelOp::Gemm {
            reset: call.reset_out != 0,
        }),
        1 => {
            let id = u8::try_from(call.opcode).ok();
            let op = id
                .and_then(AluOp::from_id)
                .ok_or(KernelError::AluOp(call.opcode))?;
            let imm = i16::try_from(call.imm_val).map_err(|_| KernelError::Field {
                what: "imm",
                value: call.imm_val.into(),
            })?;
            Ok(KernelOp::Alu {
                op,
                use_imm: call.use_imm != 0,
                imm,
            })
        }
        mode => Err(KernelError::Mode(mode)),
    }
}

fn field(what: &'static str, value: u32) -> Result<u16, KernelError> {
    u16::try_from(value).map_err(|_| KernelError::Field {
        what,
        value: value.into(),
    })
}
