//! What is kept of a run.

use crate::vta::isa::{Insn, InsnIndex, Module, Token};
use crate::vta::timing::{Executed, InsnClass, Observer, ReadRequest, WaitReason, WriteRequest};

/// Most events of each kind that are kept unless told otherwise: enough for the longest golden program.
const DEFAULT_LIMIT: usize = 1 << 20;

/// An instruction from start to end.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Where it ran.
    pub module: Module,
    /// Which launch, from 0.
    pub launch: u32,
    /// Which instruction of it.
    pub index: InsnIndex,
    /// What it is.
    pub insn: Insn,
    /// First cycle.
    pub start: u64,
    /// One past the last cycle.
    pub end: u64,
}

impl Span {
    /// Its class.
    pub fn class(&self) -> InsnClass {
        InsnClass::of(&self.insn)
    }
}

/// A module standing still.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// Which module.
    pub module: Module,
    /// For what.
    pub reason: WaitReason,
    /// The instruction that started then.
    pub index: InsnIndex,
    /// First cycle.
    pub start: u64,
    /// One past the last cycle.
    pub end: u64,
}

/// The tokens in a queue from a cycle on.
#[derive(Clone, Copy, Debug)]
pub struct TokenCount {
    /// Which queue.
    pub token: Token,
    /// From this cycle.
    pub cycle: u64,
    /// How many there are now.
    pub count: u8,
    /// The instruction that gave or took one.
    pub by: InsnIndex,
}

/// Keeps everything that the timing model shows, with the cycles of launches one after the other.
#[derive(Clone, Debug)]
pub struct Recorder {
    spans: Vec<Span>,
    waits: Vec<Wait>,
    tokens: Vec<TokenCount>,
    reads: Vec<ReadRequest>,
    writes: Vec<WriteRequest>,
    limit: usize,
    dropped: u64,
    launch: u32,
    /// Cycle in which the launch under way began.
    offset: u64,
    latest: u64,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder::new(DEFAULT_LIMIT)
    }
}

impl Recorder {
    /// Keeps at most `limit` events of each kind; what comes later is counted only.
    pub fn new(limit: usize) -> Self {
        Recorder {
            spans: Vec::new(),
            waits: Vec::new(),
            tokens: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            limit,
            dropped: 0,
            launch: 0,
            offset: 0,
            latest: 0,
        }
    }

    /// Instructions, in the order of their ends.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Modules standing still, in the order of their ends.
    pub fn waits(&self) -> &[Wait] {
        &self.waits
    }

    /// Changes of token counts, in the order of time.
    pub fn tokens(&self) -> &[TokenCount] {
        &self.tokens
    }

    /// Read requests, in the order of service.
    pub fn reads(&self) -> &[ReadRequest] {
        &self.reads
    }

    /// Write requests, in order.
    pub fn writes(&self) -> &[WriteRequest] {
        &self.writes
    }

    /// Events that were not kept because there were too many.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The cycle after the last event kept.
    pub fn end(&self) -> u64 {
        self.latest
    }

    fn keep<T>(list: &mut Vec<T>, limit: usize, dropped: &mut u64, event: T) {
        if list.len() < limit {
            list.push(event);
        } else {
            *dropped += 1;
        }
    }
}

impl Observer for Recorder {
    fn launched(&mut self, launch: u32) {
        self.launch = launch;
        self.offset = self.latest;
    }

    fn executed(&mut self, executed: Executed<'_>) {
        let span = Span {
            module: executed.module,
            launch: self.launch,
            index: executed.index,
            insn: *executed.insn,
            start: self.offset + executed.start,
            end: self.offset + executed.end,
        };
        if self.spans.len() < self.limit {
            self.latest = self.latest.max(span.end);
        }
        Recorder::keep(&mut self.spans, self.limit, &mut self.dropped, span);
    }

    fn waited(&mut self, module: Module, index: InsnIndex, reason: WaitReason, from: u64, to: u64) {
        let wait = Wait {
            module,
            reason,
            index,
            start: self.offset + from,
            end: self.offset + to,
        };
        Recorder::keep(&mut self.waits, self.limit, &mut self.dropped, wait);
    }

    fn token(&mut self, token: Token, by: InsnIndex, count: u8, cycle: u64) {
        let change = TokenCount {
            token,
            cycle: self.offset + cycle,
            count,
            by,
        };
        Recorder::keep(&mut self.tokens, self.limit, &mut self.dropped, change);
    }

    fn read(&mut self, mut request: ReadRequest) {
        let cycles = [
            &mut request.entered,
            &mut request.accepted,
            &mut request.start,
            &mut request.last,
        ];
        cycles.into_iter().for_each(|cycle| *cycle += self.offset);
        Recorder::keep(&mut self.reads, self.limit, &mut self.dropped, request);
    }

    fn write(&mut self, mut request: WriteRequest) {
        request.start += self.offset;
        request.end += self.offset;
        Recorder::keep(&mut self.writes, self.limit, &mut self.dropped, request);
    }
}
