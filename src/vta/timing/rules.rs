//! The numbers of the model, each with where it comes from.

use super::burst::Burst;
use crate::vta::config::{Geometry, Mem};
use crate::vta::isa::{INSN_BYTES, Insn};
use serde::Serialize;

/// Instructions a module's queue holds, the executing one included (timing note section 1: 512).
pub(super) const QUEUE_DEPTH: usize = 512;
/// Read requests that may be under way (timing note section 3).
pub(super) const READ_TAGS: usize = 16;
/// From the cycle in which an empty memory queue takes a request to the start of its service (timing note, rule b).
pub(super) const MEMORY_LATENCY: u64 = 17;
/// From the last beat of a batch of instructions to the cycle that hands out the first (rule f).
pub(super) const FETCH_DRAIN: u64 = 3;
/// From a beat's arrival to the cycle in which a LOAD writes it.
pub(super) const LOAD_BEAT_TO_WRITE: u64 = 1;
/// Fewest cycles of a LOAD without rows: those of a NOP.
pub(super) const NOTHING_TO_READ: u64 = 2;
/// No event may lie beyond this cycle: 2^60, so that sums cannot overflow.
pub(super) const MAX_CYCLE: u64 = 1 << 60;

/// Who reads memory, in the order of the arbiter's priority (timing note section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadClient {
    /// Instructions.
    Fetch,
    /// LOAD UOP.
    Uop,
    /// LOAD INP.
    Inp,
    /// LOAD WGT.
    Wgt,
    /// LOAD ACC and ACC_8BIT.
    Acc,
}

impl ReadClient {
    /// Every client, highest priority first.
    pub const ALL: [ReadClient; 5] = [
        ReadClient::Fetch,
        ReadClient::Uop,
        ReadClient::Inp,
        ReadClient::Wgt,
        ReadClient::Acc,
    ];

    /// The client of a LOAD; `None` for memory that cannot be loaded.
    #[inline]
    pub fn of_load(mem: Mem) -> Option<ReadClient> {
        match mem {
            Mem::Uop => Some(ReadClient::Uop),
            Mem::Inp => Some(ReadClient::Inp),
            Mem::Wgt => Some(ReadClient::Wgt),
            Mem::Acc | Mem::Acc8 => Some(ReadClient::Acc),
            Mem::Out => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            ReadClient::Fetch => "fetch",
            ReadClient::Uop => "uop",
            ReadClient::Inp => "inp",
            ReadClient::Wgt => "wgt",
            ReadClient::Acc => "acc",
        }
    }
}

/// What an instruction is, for the account of cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InsnClass {
    /// LOAD or STORE of nothing: tokens only.
    Nop,
    /// LOAD UOP.
    LoadUop,
    /// LOAD WGT.
    LoadWgt,
    /// LOAD INP.
    LoadInp,
    /// LOAD ACC or ACC_8BIT.
    LoadAcc,
    /// GEMM that multiplies.
    Gemm,
    /// GEMM that clears accumulators.
    GemmReset,
    /// ALU with an immediate.
    AluImm,
    /// ALU with a second accumulator.
    AluTensor,
    /// STORE.
    Store,
    /// FINISH.
    Finish,
}

impl InsnClass {
    /// Every class.
    pub const ALL: [InsnClass; 11] = [
        InsnClass::Nop,
        InsnClass::LoadUop,
        InsnClass::LoadWgt,
        InsnClass::LoadInp,
        InsnClass::LoadAcc,
        InsnClass::Gemm,
        InsnClass::GemmReset,
        InsnClass::AluImm,
        InsnClass::AluTensor,
        InsnClass::Store,
        InsnClass::Finish,
    ];

    /// The class of an instruction.
    #[inline]
    pub fn of(insn: &Insn) -> InsnClass {
        match insn {
            Insn::Load(m) | Insn::Store(m) if m.is_nop() => InsnClass::Nop,
            Insn::Load(m) => match m.mem {
                Mem::Uop => InsnClass::LoadUop,
                Mem::Wgt => InsnClass::LoadWgt,
                Mem::Inp => InsnClass::LoadInp,
                Mem::Acc | Mem::Acc8 | Mem::Out => InsnClass::LoadAcc,
            },
            Insn::Store(_) => InsnClass::Store,
            Insn::Gemm(g) if g.reset => InsnClass::GemmReset,
            Insn::Gemm(_) => InsnClass::Gemm,
            Insn::Alu(a) if a.operand.is_imm() => InsnClass::AluImm,
            Insn::Alu(_) => InsnClass::AluTensor,
            Insn::Finish(_) => InsnClass::Finish,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            InsnClass::Nop => "nop",
            InsnClass::LoadUop => "load_uop",
            InsnClass::LoadWgt => "load_wgt",
            InsnClass::LoadInp => "load_inp",
            InsnClass::LoadAcc => "load_acc",
            InsnClass::Gemm => "gemm",
            InsnClass::GemmReset => "gemm_reset",
            InsnClass::AluImm => "alu_imm",
            InsnClass::AluTensor => "alu_tensor",
            InsnClass::Store => "store",
            InsnClass::Finish => "finish",
        }
    }

    /// It executes micro-operations.
    #[inline]
    pub(super) fn uses_uops(self) -> bool {
        matches!(
            self,
            InsnClass::Gemm | InsnClass::GemmReset | InsnClass::AluImm | InsnClass::AluTensor
        )
    }

    /// It moves data between memory and a buffer.
    #[inline]
    pub(super) fn uses_memory(self) -> bool {
        matches!(
            self,
            InsnClass::LoadUop
                | InsnClass::LoadWgt
                | InsnClass::LoadInp
                | InsnClass::LoadAcc
                | InsnClass::Store
        )
    }

    /// Position in [`InsnClass::ALL`].
    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// Cycles of an instruction that does not touch memory: a fixed part and one for each operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// To start and to drain.
    pub fixed: u64,
    /// For each operation.
    pub per_operation: u64,
}

const fn cost(fixed: u64, per_operation: u64) -> Cost {
    Cost {
        fixed,
        per_operation,
    }
}

/// What follows from a geometry: sizes on the bus and the cost of each instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// log2 of the bytes of a beat.
    pub log_beat_bytes: u32,
    /// log2 of the bytes of the longest burst; no request crosses a multiple of it.
    pub log_burst_bytes: u32,
    /// Instructions of one fetch: as many as fit in a longest burst, at least one.
    pub fetch_batch: u32,
    /// log2 of the bytes of an element in DRAM, by memory type.
    log_elem_bytes: [u32; Mem::ALL.len()],
    /// Elements of the buffer, by memory type.
    depth: [u32; Mem::ALL.len()],
}

impl Rules {
    /// The rules of a geometry.
    pub fn new(geometry: &Geometry) -> Self {
        let log_beat_bytes = (geometry.axi_bits() / 8).ilog2();
        let log_burst_bytes = log_beat_bytes + geometry.max_burst().ilog2();
        Rules {
            log_beat_bytes,
            log_burst_bytes,
            fetch_batch: ((1u32 << log_burst_bytes) / INSN_BYTES as u32).max(1),
            log_elem_bytes: Mem::ALL.map(|mem| geometry.log_elem_bytes(mem)),
            depth: Mem::ALL.map(|mem| geometry.depth(mem) as u32),
        }
    }

    /// log2 of the bytes of one element in DRAM.
    #[inline]
    pub fn log_elem_bytes(&self, mem: Mem) -> u32 {
        self.log_elem_bytes[mem as usize]
    }

    /// Elements the buffer behind a memory type holds.
    #[inline]
    pub fn depth(&self, mem: Mem) -> u32 {
        self.depth[mem as usize]
    }

    /// Beats that carry `insns` instructions (two each on a 64-bit bus, timing note section 2).
    #[inline]
    pub fn fetch_beats(&self, insns: u32) -> u32 {
        (insns * INSN_BYTES as u32).div_ceil(1 << self.log_beat_bytes)
    }

    /// What an instruction costs that does not touch memory; nothing for one that does.
    ///
    /// GEMM: one cycle per operation, and 7 to start and to drain. ALU: the same with an immediate; two per operation with
    /// a second accumulator, because the accumulators have one read port. (Timing note section 3.)
    #[inline]
    pub fn cost(&self, class: InsnClass) -> Cost {
        const COSTS: [Cost; InsnClass::ALL.len()] = {
            let mut costs = [cost(0, 0); InsnClass::ALL.len()];
            costs[InsnClass::Nop as usize] = cost(2, 0);
            costs[InsnClass::Finish as usize] = cost(1, 0);
            costs[InsnClass::Gemm as usize] = cost(7, 1);
            costs[InsnClass::GemmReset as usize] = cost(7, 1);
            costs[InsnClass::AluImm as usize] = cost(7, 1);
            costs[InsnClass::AluTensor as usize] = cost(7, 2);
            costs
        };
        COSTS[class.index()]
    }

    /// From the last write of a LOAD, of data or of zeros, to its end: 4, or 3 where an element is no wider than a beat and
    /// need not be put together (rule c: the data of uop ends 4 after its last beat, of the others 5; the inputs of BLOCK 8
    /// are like uop).
    #[inline]
    pub fn load_drain(&self, mem: Mem) -> u64 {
        if self.log_elem_bytes(mem) > self.log_beat_bytes {
            4
        } else {
            3
        }
    }

    /// Cycles before a STORE's first burst (rule d).
    #[inline]
    pub fn store_start(&self) -> u64 {
        1
    }

    /// Cycles of one burst of a STORE: 3 for command and acknowledgement, its beats, and one per element read from the
    /// buffer (rule d). Where an element is no wider than the bus, reading overlaps with sending except for the first
    /// (from the BLOCK 8 records).
    #[inline]
    pub fn store_burst(&self, burst: Burst) -> u64 {
        let beats = u64::from(burst.beats);
        let log_elem = self.log_elem_bytes(Mem::Out);
        if log_elem <= self.log_beat_bytes {
            return 4 + beats;
        }
        let first = burst.addr >> log_elem;
        let end = burst.addr + (beats << self.log_beat_bytes);
        3 + beats + (end.div_ceil(1 << log_elem) - first)
    }
}
