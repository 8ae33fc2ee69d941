//! A module's queue and the instruction it executes.

use super::burst::Bursts;
use super::padding::Padding;
use super::rules::{InsnClass, QUEUE_DEPTH, ReadClient};
use super::tokens::TokenSet;
use crate::vta::isa::{Insn, Module};

/// An instruction in a queue, with what decides its start and its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The first cycle in which it can start: the one after fetch handed it out.
    pub(super) visible: u64,
    /// Operations or elements.
    pub(super) work: u64,
    /// Its position in the stream.
    pub(super) index: u32,
    pub(super) class: InsnClass,
    pub(super) pops: TokenSet,
    pub(super) pushes: TokenSet,
}

impl Entry {
    #[inline]
    pub(super) fn new(index: u32, insn: &Insn, module: Module, visible: u64) -> Self {
        let (class, work, deps) = match insn {
            Insn::Load(m) | Insn::Store(m) => (InsnClass::of(insn), m.elements(), m.deps),
            Insn::Gemm(g) if g.reset => (InsnClass::GemmReset, g.operations(), g.deps),
            Insn::Gemm(g) => (InsnClass::Gemm, g.operations(), g.deps),
            Insn::Alu(a) if a.operand.is_imm() => (InsnClass::AluImm, a.operations(), a.deps),
            Insn::Alu(a) => (InsnClass::AluTensor, a.operations(), a.deps),
            Insn::Finish(deps) => (InsnClass::Finish, 0, *deps),
        };
        Entry {
            visible,
            work,
            index,
            class,
            pops: TokenSet::of(deps.pops(module)),
            pushes: TokenSet::of(deps.pushes(module)),
        }
    }
}

/// When a module's state changes next: a cycle, and whether an instruction ends or starts then. What ends in a cycle
/// comes before what starts in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wake(u64);

impl Wake {
    /// It executes a LOAD whose end depends on memory, or nothing ever again.
    pub(super) const UNKNOWN: Wake = Wake(u64::MAX - 1);
    /// It waits for a token or an instruction.
    pub(super) const IDLE: Wake = Wake(u64::MAX);

    #[inline]
    pub(super) fn end(cycle: u64) -> Self {
        Wake(cycle << 1)
    }

    #[inline]
    pub(super) fn start(cycle: u64) -> Self {
        Wake(cycle << 1 | 1)
    }

    /// Its cycle; beyond all others if there is none.
    #[inline]
    pub(super) fn cycle(self) -> u64 {
        self.0 >> 1
    }

    #[inline]
    pub(super) fn is_start(self) -> bool {
        self.0 & 1 == 1
    }
}

/// The instruction under way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Running {
    pub(super) start: u64,
    /// Cycles of it in which data moved or elements were read, as opposed to waiting for memory; for a LOAD beats so far.
    pub(super) transfer: u64,
    /// Cycles at its end in which only zeros were written.
    pub(super) padding: u64,
}

/// A LOAD under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loading {
    pub(super) client: ReadClient,
    /// The requests that have not entered the client's queue.
    pub(super) rest: Bursts,
    pub(super) padding: Padding,
    /// From its last write to its end.
    pub(super) drain: u64,
}

/// Fills the unused part of a queue.
const NO_ENTRY: Entry = Entry {
    visible: 0,
    work: 0,
    index: 0,
    class: InsnClass::Nop,
    pops: TokenSet::EMPTY,
    pushes: TokenSet::EMPTY,
};

/// A module: its queue, what it executes, and when that changes.
pub(super) struct ModuleState {
    queue: Box<[Entry; QUEUE_DEPTH]>,
    head: usize,
    len: usize,
    /// The instruction under way, if one is: the one at the head of the queue.
    pub(super) running: Running,
    pub(super) loading: Loading,

    /// The cycle in which the last instruction ended.
    pub(super) idle_since: u64,
}

impl ModuleState {
    pub(super) fn new() -> Self {
        ModuleState {
            queue: Box::new([NO_ENTRY; QUEUE_DEPTH]),
            head: 0,
            len: 0,
            running: Running::default(),
            loading: Loading {
                client: ReadClient::Inp,
                rest: Bursts::none(),
                padding: Padding::none(),
                drain: 0,
            },
            idle_since: 0,
        }
    }

    /// Forgets everything, for a new launch.
    pub(super) fn restart(&mut self) {
        self.head = 0;
        self.len = 0;
        self.idle_since = 0;
    }

    /// An instruction keeps its place until it has ended.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len == QUEUE_DEPTH
    }

    /// The instruction at the head: the one under way, or the next.
    #[inline]
    pub(super) fn head(&self) -> Option<&Entry> {
        (self.len > 0).then(|| &self.queue[self.head])
    }

    /// Adds an instruction; the queue must not be full.
    #[inline]
    pub(super) fn push(&mut self, entry: Entry) {
        self.queue[(self.head + self.len) % QUEUE_DEPTH] = entry;
        self.len += 1;
    }

    /// Removes the head.
    #[inline]
    pub(super) fn pop(&mut self) {
        self.head = (self.head + 1) % QUEUE_DEPTH;
        self.len -= 1;
    }
}
