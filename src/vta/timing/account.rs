//! Where the cycles of a launch go.

use super::observer::WaitReason;
use super::rules::InsnClass;
use crate::vta::config::{Geometry, Mem};
use crate::vta::isa::{Insn, MemInsn, Module, Token};
use crate::vta::program::Counters;

/// Instructions and cycles of one class.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClassAccount {
    pub(super) insns: u64,
    pub(super) cycles: u64,
}

/// Cycles of one module. Executing (all classes), waiting for fetch, for tokens and the rest at the end add up to the
/// cycles of the launch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ModuleAccount {
    pub(super) classes: [ClassAccount; InsnClass::ALL.len()],
    /// Of the executing cycles: waiting for memory to answer.
    pub(super) memory: u64,
    /// Of the executing cycles: writing zeros after the data was there.
    pub(super) padding: u64,
    pub(super) fetch: u64,
    pub(super) tokens: [u64; Token::ALL.len()],
    /// Nothing left to do.
    pub(super) drained: u64,
}

impl ModuleAccount {
    #[inline]
    pub(super) fn executed(&mut self, class: InsnClass, cycles: u64) {
        let account = &mut self.classes[class.index()];
        account.insns += 1;
        account.cycles += cycles;
    }

    #[inline]
    pub(super) fn waited(&mut self, reason: WaitReason, cycles: u64) {
        match reason {
            WaitReason::Fetch => self.fetch += cycles,
            WaitReason::Token(token) => self.tokens[token.index()] += cycles,
        }
    }

    pub(super) fn add(&mut self, other: &ModuleAccount) {
        for (mine, theirs) in self.classes.iter_mut().zip(&other.classes) {
            mine.insns += theirs.insns;
            mine.cycles += theirs.cycles;
        }
        self.memory += other.memory;
        self.padding += other.padding;
        self.fetch += other.fetch;
        for (mine, theirs) in self.tokens.iter_mut().zip(&other.tokens) {
            *mine += theirs;
        }
        self.drained += other.drained;
    }
}

/// Requests and beats of one client.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    pub(super) requests: u64,
    pub(super) beats: u64,
}

impl Traffic {
    #[inline]
    pub(super) fn count(&mut self, beats: u32) {
        self.requests += 1;
        self.beats += u64::from(beats);
    }

    pub(super) fn add(&mut self, other: &Traffic) {
        self.requests += other.requests;
        self.beats += other.beats;
    }
}

/// All of a launch, or of several.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    pub(super) modules: [ModuleAccount; Module::ALL.len()],
    /// By client, in the order of [`super::ReadClient::ALL`].
    pub(super) reads: [Traffic; 5],
    pub(super) writes: Traffic,
    /// The functional model's statistics.
    pub(super) counters: Counters,
}

impl Account {
    /// Instructions executed before the end of FINISH.
    pub(super) fn insns(&self) -> u64 {
        let classes = self.modules.iter().flat_map(|module| &module.classes);
        classes.map(|class| class.insns).sum()
    }

    /// Counts an instruction as the functional model does (spec section 2, statistics).
    #[inline]
    pub(super) fn count(&mut self, insn: &Insn, geometry: &Geometry) {
        let bytes = |m: &MemInsn, mem: Mem| m.elements() << geometry.log_elem_bytes(mem);
        let counters = &mut self.counters;
        match insn {
            Insn::Load(m) => match m.mem {
                Mem::Uop => counters.uop_load_nbytes += bytes(m, Mem::Uop),
                Mem::Wgt => counters.wgt_load_nbytes += bytes(m, Mem::Wgt),
                Mem::Inp => counters.inp_load_nbytes += bytes(m, Mem::Inp),
                // ACC_8BIT counts what it writes.
                Mem::Acc | Mem::Acc8 => counters.acc_load_nbytes += bytes(m, Mem::Acc),
                Mem::Out => {}
            },
            Insn::Store(m) => counters.out_store_nbytes += bytes(m, Mem::Out),
            Insn::Gemm(g) if !g.reset => counters.gemm_counter += g.operations(),
            Insn::Alu(a) => counters.alu_counter += a.operations(),
            Insn::Gemm(_) | Insn::Finish(_) => {}
        }
    }

    pub(super) fn add(&mut self, other: &Account) {
        for (mine, theirs) in self.modules.iter_mut().zip(&other.modules) {
            mine.add(theirs);
        }
        for (mine, theirs) in self.reads.iter_mut().zip(&other.reads) {
            mine.add(theirs);
        }
        self.writes.add(&other.writes);
        for (name, value) in other.counters.entries() {
            if let Some(mine) = self.counters.by_name(name) {
                *mine += value;
            }
        }
    }
}
