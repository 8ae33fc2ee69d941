//! Decoded instructions.

use crate::vta::config::{Geometry, Mem};
use serde::{Deserialize, Serialize};

/// The 128 bits of an instruction; little-endian in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawInsn(pub u128);

impl RawInsn {
    /// From its 16 bytes in memory.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        RawInsn(u128::from_le_bytes(bytes))
    }

    /// Its 16 bytes in memory.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }
}

/// Position of an instruction in its launch, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InsnIndex(pub u32);

impl std::fmt::Display for InsnIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// One of the three modules that execute instructions, each in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Module {
    /// LOAD INP, LOAD WGT.
    Load,
    /// GEMM, ALU, FINISH, LOAD UOP, LOAD ACC.
    Compute,
    /// STORE.
    Store,
}

impl Module {
    /// Every module, in pipeline order.
    pub const ALL: [Module; 3] = [Module::Load, Module::Compute, Module::Store];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Module::Load => "load",
            Module::Compute => "compute",
            Module::Store => "store",
        }
    }

    /// 0, 1, 2 in pipeline order.
    pub fn index(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// One of the four dependency queues between modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Token {
    /// Data is ready: load gives, compute takes.
    #[serde(rename = "load->compute")]
    LoadToCompute,
    /// Buffers are free: compute gives, load takes.
    #[serde(rename = "compute->load")]
    ComputeToLoad,
    /// Results are ready: compute gives, store takes.
    #[serde(rename = "compute->store")]
    ComputeToStore,
    /// Buffers are free: store gives, compute takes.
    #[serde(rename = "store->compute")]
    StoreToCompute,
}

impl Token {
    /// Every queue, in the order of the golden data's `tokens_end`.
    pub const ALL: [Token; 4] = [
        Token::LoadToCompute,
        Token::ComputeToLoad,
        Token::ComputeToStore,
        Token::StoreToCompute,
    ];

    /// Position in [`Token::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Its name, `from->to`.
    pub fn name(self) -> &'static str {
        match self {
            Token::LoadToCompute => "load->compute",
            Token::ComputeToLoad => "compute->load",
            Token::ComputeToStore => "compute->store",
            Token::StoreToCompute => "store->compute",
        }
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// The four dependency bits of an instruction. "Previous" of compute is load, "next" is store; load has only a next,
/// store only a previous module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Deps {
    /// Takes a token of the previous module at the start.
    pub pop_prev: bool,
    /// Takes a token of the next module at the start.
    pub pop_next: bool,
    /// Gives a token to the previous module at the end.
    pub push_prev: bool,
    /// Gives a token to the next module at the end.
    pub push_next: bool,
}

impl Deps {
    /// The queues an instruction of `module` takes a token from before it starts.
    #[inline]
    pub fn pops(self, module: Module) -> [Option<Token>; 2] {
        match module {
            Module::Load => [None, self.pop_next.then_some(Token::ComputeToLoad)],
            Module::Compute => [
                self.pop_prev.then_some(Token::LoadToCompute),
                self.pop_next.then_some(Token::StoreToCompute),
            ],
            Module::Store => [self.pop_prev.then_some(Token::ComputeToStore), None],
        }
    }

    /// The queues an instruction of `module` gives a token to when it ends.
    #[inline]
    pub fn pushes(self, module: Module) -> [Option<Token>; 2] {
        match module {
            Module::Load => [None, self.push_next.then_some(Token::LoadToCompute)],
            Module::Compute => [
                self.push_prev.then_some(Token::ComputeToLoad),
                self.push_next.then_some(Token::ComputeToStore),
            ],
            Module::Store => [self.push_prev.then_some(Token::StoreToCompute), None],
        }
    }
}

/// A LOAD or STORE: a 2-D strided copy between DRAM and a buffer, all sizes in elements of the memory type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemInsn {
    /// Dependency bits.
    pub deps: Deps,
    /// Memory type.
    pub mem: Mem,
    /// First element in the buffer.
    pub sram_base: u16,
    /// First element in DRAM.
    pub dram_base: u32,
    /// Rows.
    pub y_size: u16,
    /// Elements of a row; 0 makes the instruction a NOP.
    pub x_size: u16,
    /// Distance of two rows in DRAM.
    pub x_stride: u16,
    /// Zero rows before, 0..=15.
    pub y_pad_0: u8,
    /// Zero rows after, 0..=15.
    pub y_pad_1: u8,
    /// Zero elements before each row, 0..=15.
    pub x_pad_0: u8,
    /// Zero elements after each row, 0..=15.
    pub x_pad_1: u8,
}

impl MemInsn {
    /// An instruction that only moves tokens.
    pub fn nop(mem: Mem, deps: Deps) -> Self {
        MemInsn {
            deps,
            mem,
            sram_base: 0,
            dram_base: 0,
            y_size: 0,
            x_size: 0,
            x_stride: 0,
            y_pad_0: 0,
            y_pad_1: 0,
            x_pad_0: 0,
            x_pad_1: 0,
        }
    }

    /// True if only its pops and pushes have an effect.
    #[inline]
    pub fn is_nop(&self) -> bool {
        self.x_size == 0
    }

    /// Elements moved between DRAM and the buffer, padding not counted.
    #[inline]
    pub fn elements(&self) -> u64 {
        if self.is_nop() {
            0
        } else {
            u64::from(self.x_size) * u64::from(self.y_size)
        }
    }

    /// Elements of a row in the buffer, padding included.
    #[inline]
    pub fn padded_row(&self) -> u64 {
        u64::from(self.x_pad_0) + u64::from(self.x_size) + u64::from(self.x_pad_1)
    }

    /// Byte address in DRAM of a row's first element.
    #[inline]
    pub fn dram_addr(&self, geometry: &Geometry, row: u32) -> u64 {
        let element = u64::from(self.dram_base) + u64::from(row) * u64::from(self.x_stride);
        element << geometry.log_elem_bytes(self.mem)
    }

    /// Elements written to the buffer by a LOAD, padding included.
    #[inline]
    pub fn sram_elements(&self) -> u64 {
        if self.is_nop() {
            return 0;
        }
        (u64::from(self.y_pad_0) + u64::from(self.y_size) + u64::from(self.y_pad_1))
            * self.padded_row()
    }
}

/// A GEMM: for each outer, inner iteration and micro-operation, `acc[dst] += inp[src] * wgt[wgt]^T`, or `acc[dst] = 0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GemmInsn {
    /// Dependency bits.
    pub deps: Deps,
    /// Clear the accumulators instead of adding to them.
    pub reset: bool,
    /// First micro-operation.
    pub uop_bgn: u16,
    /// One past the last micro-operation.
    pub uop_end: u16,
    /// Outer extent, 14 bits.
    pub iter_out: u16,
    /// Inner extent, 14 bits.
    pub iter_in: u16,
    /// Step of `dst` per outer iteration.
    pub dst_out: u16,
    /// Step of `dst` per inner iteration.
    pub dst_in: u16,
    /// Step of `src` per outer iteration.
    pub src_out: u16,
    /// Step of `src` per inner iteration.
    pub src_in: u16,
    /// Step of `wgt` per outer iteration.
    pub wgt_out: u16,
    /// Step of `wgt` per inner iteration.
    pub wgt_in: u16,
}

impl GemmInsn {
    /// Micro-operations executed: `iter_out * iter_in * (uop_end - uop_bgn)`.
    #[inline]
    pub fn operations(&self) -> u64 {
        loop_operations(self.iter_out, self.iter_in, self.uop_bgn, self.uop_end)
    }
}

/// The five ALU operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum AluOp {
    /// Signed minimum.
    Min = 0,
    /// Signed maximum.
    Max = 1,
    /// Wrapping sum.
    Add = 2,
    /// Arithmetic shift right, or left for negative amounts.
    Shr = 3,
    /// Wrapping product.
    Mul = 4,
}

impl AluOp {
    /// Every operation, by number.
    pub const ALL: [AluOp; 5] = [AluOp::Min, AluOp::Max, AluOp::Add, AluOp::Shr, AluOp::Mul];

    /// The operation of that number; 5 to 7 are free.
    pub fn from_id(id: u8) -> Option<AluOp> {
        AluOp::ALL.get(usize::from(id)).copied()
    }

    /// Its number in the instruction word.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// Its name in program text.
    pub fn name(self) -> &'static str {
        match self {
            AluOp::Min => "min",
            AluOp::Max => "max",
            AluOp::Add => "add",
            AluOp::Shr => "shr",
            AluOp::Mul => "mul",
        }
    }

    /// The operation of that name.
    pub fn from_name(name: &str) -> Option<AluOp> {
        AluOp::ALL.into_iter().find(|op| op.name() == name)
    }
}

impl std::fmt::Display for AluOp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// The second operand of an ALU instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// The sign-extended immediate.
    Imm(i16),
    /// `acc[src]`; the immediate field is carried but has no effect on the result.
    Tensor {
        /// What the immediate field holds.
        imm: i16,
    },
}

impl Operand {
    /// The immediate field.
    pub fn imm(self) -> i16 {
        match self {
            Operand::Imm(imm) | Operand::Tensor { imm } => imm,
        }
    }

    /// True for [`Operand::Imm`].
    pub fn is_imm(self) -> bool {
        matches!(self, Operand::Imm(_))
    }
}

/// An ALU instruction: for each iteration and micro-operation, `acc[dst] = op(acc[dst], operand)`, element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AluInsn {
    /// Dependency bits.
    pub deps: Deps,
    /// A bit of the common layout that ALU ignores.
    pub reset: bool,
    /// First micro-operation.
    pub uop_bgn: u16,
    /// One past the last micro-operation.
    pub uop_end: u16,
    /// Outer extent, 14 bits.
    pub iter_out: u16,
    /// Inner extent, 14 bits.
    pub iter_in: u16,
    /// Step of `dst` per outer iteration.
    pub dst_out: u16,
    /// Step of `dst` per inner iteration.
    pub dst_in: u16,
    /// Step of `src` per outer iteration.
    pub src_out: u16,
    /// Step of `src` per inner iteration.
    pub src_in: u16,
    /// What is done.
    pub op: AluOp,
    /// Second operand.
    pub operand: Operand,
}

impl AluInsn {
    /// Micro-operations executed: `iter_out * iter_in * (uop_end - uop_bgn)`.
    #[inline]
    pub fn operations(&self) -> u64 {
        loop_operations(self.iter_out, self.iter_in, self.uop_bgn, self.uop_end)
    }
}

fn loop_operations(iter_out: u16, iter_in: u16, uop_bgn: u16, uop_end: u16) -> u64 {
    u64::from(iter_out) * u64::from(iter_in) * u64::from(uop_end.saturating_sub(uop_bgn))
}

/// A decoded instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Insn {
    /// DRAM to buffer.
    Load(MemInsn),
    /// Accumulators, truncated, to DRAM.
    Store(MemInsn),
    /// Matrix multiply-accumulate.
    Gemm(GemmInsn),
    /// Element-wise operation on accumulators.
    Alu(AluInsn),
    /// Ends the launch.
    Finish(Deps),
}

impl Insn {
    /// The module that executes it (spec section 2).
    #[inline]
    pub fn module(&self) -> Module {
        match self {
            Insn::Load(m) if matches!(m.mem, Mem::Inp | Mem::Wgt) => Module::Load,
            Insn::Store(_) => Module::Store,
            _ => Module::Compute,
        }
    }

    /// Its dependency bits.
    #[inline]
    pub fn deps(&self) -> Deps {
        match self {
            Insn::Load(m) | Insn::Store(m) => m.deps,
            Insn::Gemm(g) => g.deps,
            Insn::Alu(a) => a.deps,
            Insn::Finish(deps) => *deps,
        }
    }

    /// Its dependency bits, to change them.
    pub fn deps_mut(&mut self) -> &mut Deps {
        match self {
            Insn::Load(m) | Insn::Store(m) => &mut m.deps,
            Insn::Gemm(g) => &mut g.deps,
            Insn::Alu(a) => &mut a.deps,
            Insn::Finish(deps) => deps,
        }
    }

    /// The queues it takes a token from before it starts.
    #[inline]
    pub fn pops(&self) -> [Option<Token>; 2] {
        self.deps().pops(self.module())
    }

    /// The queues it gives a token to when it ends.
    #[inline]
    pub fn pushes(&self) -> [Option<Token>; 2] {
        self.deps().pushes(self.module())
    }

    /// True if only its pops and pushes have an effect.
    #[inline]
    pub fn is_nop(&self) -> bool {
        matches!(self, Insn::Load(m) | Insn::Store(m) if m.is_nop())
    }
}

impl Insn {
    /// The NOP that a module's token bookkeeping uses: LOAD INP, LOAD UOP or STORE (memory type 0) of nothing
    /// (spec section 2).
    pub fn nop(module: Module, deps: Deps) -> Insn {
        let nop = MemInsn::nop(nop_mem(module), deps);
        if module == Module::Store {
            Insn::Store(nop)
        } else {
            Insn::Load(nop)
        }
    }
}

/// Memory type of a module's NOP.
pub(super) fn nop_mem(module: Module) -> Mem {
    if module == Module::Load {
        Mem::Inp
    } else {
        Mem::Uop
    }
}

/// The previous and the next module in the pipeline.
pub(super) fn neighbours(module: Module) -> (Option<Module>, Option<Module>) {
    match module {
        Module::Load => (None, Some(Module::Compute)),
        Module::Compute => (Some(Module::Load), Some(Module::Store)),
        Module::Store => (Some(Module::Compute), None),
    }
}
