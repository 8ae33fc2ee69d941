//! A module's queue and the instruction it executes.

use super::burst::Bursts;
use super::padding::Padding;
use super::port::NEVER;
use super::rules::{QUEUE_DEPTH, ReadClient};

/// An instruction in a queue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// Its position in the stream.
    pub(super) index: u32,
    /// The first cycle in which it can start: the one after fetch handed it out.
    pub(super) visible: u64,
}

/// The instruction under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) index: u32,
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
    /// From its last beat to its end.
    pub(super) tail: u64,
}

/// A module: its queue, what it executes, and when that changes.
pub(super) struct ModuleState {
    queue: Box<[Entry; QUEUE_DEPTH]>,
    head: usize,
    len: usize,
    pub(super) running: Option<Running>,
    pub(super) loading: Loading,
    /// The next start or end; [`NEVER`] while it waits for a token, an instruction or memory.
    pub(super) wake: u64,
    /// The cycle in which the last instruction ended.
    pub(super) idle_since: u64,
}

impl ModuleState {
    pub(super) fn new() -> Self {
        ModuleState {
            queue: Box::new([Entry::default(); QUEUE_DEPTH]),
            head: 0,
            len: 0,
            running: None,
            loading: Loading {
                client: ReadClient::Inp,
                rest: Bursts::none(),
                padding: Padding::none(),
                tail: 0,
            },
            wake: NEVER,
            idle_since: 0,
        }
    }

    /// Forgets everything, for a new launch.
    pub(super) fn restart(&mut self) {
        self.head = 0;
        self.len = 0;
        self.running = None;
        self.wake = NEVER;
        self.idle_since = 0;
    }

    /// An instruction keeps its place until it has ended.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len == QUEUE_DEPTH
    }

    /// The instruction at the head: the one under way, or the next.
    #[inline]
    pub(super) fn head(&self) -> Option<Entry> {
        (self.len > 0).then(|| self.queue[self.head])
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
