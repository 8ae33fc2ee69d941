//! The read port: arbiter, tags and memory.

use super::burst::Burst;
use super::rules::{MEMORY_LATENCY, READ_TAGS};

/// Never: no event is due.
pub(super) const NEVER: u64 = u64::MAX;

/// Who has a request in front of the arbiter. Each module has at most one LOAD under way, so three slots stand for the
/// five clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Fetch = 0,
    Load = 1,
    Compute = 2,
}

/// When a request is served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    /// The cycle before its first beat arrives.
    pub(super) start: u64,
    /// The cycle in which its last beat arrives.
    pub(super) last: u64,
    /// Its tag, the lowest free one.
    pub(super) tag: u8,
}

/// State of the read port.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadPort {
    /// The request of each slot, and the cycle in which it entered the client's queue ([`NEVER`]: none).
    request: [Burst; 3],
    entered: [u64; 3],
    /// The compute module's LOAD reads micro-operations, which go before inputs and weights; accumulators go after.
    compute_first: bool,
    /// Last beats and tags of the requests under way, in order of service.
    under_way: [(u64, u8); READ_TAGS],
    first: usize,
    count: usize,
    free_tags: u16,
    /// Service of the latest request.
    start: u64,
    last: u64,
    /// The next cycle in which the arbiter may take a request.
    next: u64,
    /// One past the cycle of the latest acceptance.
    earliest: u64,
}

impl ReadPort {
    pub(super) fn new() -> Self {
        ReadPort {
            request: [Burst { addr: 0, beats: 0 }; 3],
            entered: [NEVER; 3],
            compute_first: false,
            under_way: [(0, 0); READ_TAGS],
            first: 0,
            count: 0,
            free_tags: u16::MAX,
            start: 0,
            last: 0,
            next: NEVER,
            earliest: 0,
        }
    }

    /// The cycle of the next event; [`NEVER`] if no request waits.
    #[inline]
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Puts a request into a client's queue in cycle `cycle`; the queue must be empty.
    #[inline]
    pub(super) fn enter(&mut self, slot: Slot, request: Burst, cycle: u64) {
        self.request[slot as usize] = request;
        self.entered[slot as usize] = cycle;
        self.next = self.next.min((cycle + 1).max(self.earliest));
    }

    /// Sets which client the compute slot stands for.
    #[inline]
    pub(super) fn set_compute_first(&mut self, first: bool) {
        self.compute_first = first;
    }

    /// Lets the arbiter act in cycle `cycle`, which is [`ReadPort::next`]. `None` if it cannot take a request then.
    #[inline(always)]
    pub(super) fn accept(&mut self, cycle: u64) -> Option<(Slot, Burst, u64, Service)> {
        while self.count > 0 && self.under_way[self.first].0 < cycle {
            self.free_tags |= 1 << self.under_way[self.first].1;
            self.first = (self.first + 1) % READ_TAGS;
            self.count -= 1;
        }
        if self.count > 0 {
            let oldest = self.under_way[self.first].0;
            if oldest == cycle || self.free_tags == 0 {
                // No request is taken in the cycle of a last beat (timing note section 4); a tag is free after it.
                self.next = oldest + 1;
                return None;
            }
        }
        let Some(slot) = self.choose(cycle) else {
            self.schedule();
            return None;
        };
        let entered = std::mem::replace(&mut self.entered[slot as usize], NEVER);
        let request = self.request[slot as usize];
        // The memory's queue is empty if the latest request was already taken out of it to be served.
        let start = if self.start < cycle {
            self.last.max(cycle + MEMORY_LATENCY)
        } else {
            self.last
        };
        let last = start + u64::from(request.beats);
        let tag = self.free_tags.trailing_zeros() as u8;
        self.free_tags &= self.free_tags - 1;
        self.under_way[(self.first + self.count) % READ_TAGS] = (last, tag);
        self.count += 1;
        (self.start, self.last) = (start, last);
        self.earliest = cycle + 1;
        self.schedule();
        Some((slot, request, entered, Service { start, last, tag }))
    }

    /// The first client by priority whose request entered its queue before `cycle`.
    #[inline(always)]
    fn choose(&self, cycle: u64) -> Option<Slot> {
        let [fetch, load, compute] = self.entered;
        if fetch < cycle {
            Some(Slot::Fetch)
        } else if compute < cycle && (self.compute_first || load >= cycle) {
            Some(Slot::Compute)
        } else if load < cycle {
            Some(Slot::Load)
        } else {
            None
        }
    }

    /// A request can be taken one cycle after it entered its queue.
    #[inline(always)]
    fn schedule(&mut self) {
        let [fetch, load, compute] = self.entered;
        let entered = fetch.min(load).min(compute);
        self.next = entered.saturating_add(1).max(self.earliest);
    }
}
