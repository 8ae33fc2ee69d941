//! Who wants to see what happens.

use super::burst::Burst;
use super::rules::ReadClient;
use crate::vta::isa::{Insn, InsnIndex, Module, Token};

/// Why a module stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitReason {
    /// Its next instruction had not been handed out by fetch yet.
    Fetch,
    /// Its next instruction takes a token that was not there.
    Token(Token),
}

/// An instruction that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Executed<'a> {
    /// Where it ran.
    pub module: Module,
    /// Which one.
    pub index: InsnIndex,
    /// What it is.
    pub insn: &'a Insn,
    /// The cycle in which it took its tokens and started.
    pub start: u64,
    /// The cycle in which its tokens are there for others, and in which the next may start.
    pub end: u64,
}

/// A read request, once the memory has taken it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// Who asked.
    pub client: ReadClient,
    /// Address and beats.
    pub burst: Burst,
    /// Its tag: the lowest that was free.
    pub tag: u8,
    /// The cycle in which it entered its client's queue.
    pub entered: u64,
    /// The cycle in which the arbiter took it.
    pub accepted: u64,
    /// The cycle before its first beat.
    pub start: u64,
    /// The cycle of its last beat.
    pub last: u64,
}

/// One burst of a STORE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteRequest {
    /// Address and beats.
    pub burst: Burst,
    /// The cycle in which it is asked for.
    pub start: u64,
    /// The cycle in which it is acknowledged.
    pub end: u64,
}

/// Sees what happens, in the order in which it is decided; times of different events need not be in order. Every method
/// does nothing by default, so that an observer costs what it uses and `()` costs nothing.
pub trait Observer {
    /// A launch begins; its cycles count from 0.
    fn launched(&mut self, _launch: u32) {}
    /// An instruction was handed to its module's queue in `cycle`.
    fn dispatched(&mut self, _index: InsnIndex, _module: Module, _cycle: u64) {}
    /// An instruction ended.
    fn executed(&mut self, _executed: Executed<'_>) {}
    /// A module stood still from one cycle to before another; `index` is the instruction it then started.
    fn waited(
        &mut self,
        _module: Module,
        _index: InsnIndex,
        _reason: WaitReason,
        _from: u64,
        _to: u64,
    ) {
    }
    /// The tokens in a queue changed to `count`; `by` gave or took one.
    fn token(&mut self, _token: Token, _by: InsnIndex, _count: u8, _cycle: u64) {}
    /// The memory took a read request.
    fn read(&mut self, _request: ReadRequest) {}
    /// A STORE made a request.
    fn write(&mut self, _request: WriteRequest) {}
    /// Anything is observed at all; a constant, so that what only an observer needs is left out otherwise.
    const ACTIVE: bool = true;
}

impl Observer for () {
    const ACTIVE: bool = false;
}

impl<O: Observer> Observer for &mut O {
    const ACTIVE: bool = O::ACTIVE;
    fn launched(&mut self, launch: u32) {
        (**self).launched(launch);
    }
    fn dispatched(&mut self, index: InsnIndex, module: Module, cycle: u64) {
        (**self).dispatched(index, module, cycle);
    }
    fn executed(&mut self, executed: Executed<'_>) {
        (**self).executed(executed);
    }
    fn waited(&mut self, module: Module, index: InsnIndex, reason: WaitReason, from: u64, to: u64) {
        (**self).waited(module, index, reason, from, to);
    }
    fn token(&mut self, token: Token, by: InsnIndex, count: u8, cycle: u64) {
        (**self).token(token, by, count, cycle);
    }
    fn read(&mut self, request: ReadRequest) {
        (**self).read(request);
    }
    fn write(&mut self, request: WriteRequest) {
        (**self).write(request);
    }
}
