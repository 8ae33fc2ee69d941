//! Where the cycles of a launch go.

use super::observer::WaitReason;
use super::rules::InsnClass;
use crate::vta::config::{Geometry, Mem};
use crate::vta::isa::{Module, Token};
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
    /// Operations or elements, by class, of every instruction that started.
    pub(super) work: [u64; InsnClass::ALL.len()],
}

impl Account {
    /// Instructions executed before the end of FINISH.
    pub(super) fn insns(&self) -> u64 {
        let classes = self.modules.iter().flat_map(|module| &module.classes);
        classes.map(|class| class.insns).sum()
    }

    /// The functional model's statistics (spec section 2).
    pub(super) fn counters(&self, geometry: &Geometry) -> Counters {
        let work = |class: InsnClass| self.work[class.index()];
        // ACC_8BIT counts what it writes, so all of LOAD ACC counts full accumulators.
        let bytes = |class, mem| work(class) << geometry.log_elem_bytes(mem);
        Counters {
            inp_load_nbytes: bytes(InsnClass::LoadInp, Mem::Inp),
            wgt_load_nbytes: bytes(InsnClass::LoadWgt, Mem::Wgt),
            acc_load_nbytes: bytes(InsnClass::LoadAcc, Mem::Acc),
            uop_load_nbytes: bytes(InsnClass::LoadUop, Mem::Uop),
            out_store_nbytes: bytes(InsnClass::Store, Mem::Out),
            gemm_counter: work(InsnClass::Gemm),
            alu_counter: work(InsnClass::AluImm) + work(InsnClass::AluTensor),
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
        for (mine, theirs) in self.work.iter_mut().zip(&other.work) {
            *mine = mine.saturating_add(*theirs);
        }
    }
}
