//! The four dependency counters: 8 bits each, saturating (timing note section 1).

use crate::vta::isa::Token;

/// Tokens in the queues, with the cycle in which each queue last stopped being empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tokens {
    count: [u8; 4],
    since: [u64; 4],
}

impl Tokens {
    /// Tokens in each queue, in the order of [`Token::ALL`].
    pub(super) fn counts(&self) -> [u8; 4] {
        self.count
    }

    /// Sets the counts, as of cycle 0.
    pub(super) fn set(&mut self, count: [u8; 4]) {
        *self = Tokens {
            count,
            since: [0; 4],
        };
    }

    /// A new launch counts cycles from 0 again.
    pub(super) fn restart(&mut self) {
        self.since = [0; 4];
    }

    #[inline]
    pub(super) fn has(&self, token: Token) -> bool {
        self.count[token.index()] > 0
    }

    /// The cycle since which the queue is not empty; only meaningful while it is not.
    #[inline]
    pub(super) fn since(&self, token: Token) -> u64 {
        self.since[token.index()]
    }

    #[inline]
    pub(super) fn count(&self, token: Token) -> u8 {
        self.count[token.index()]
    }

    #[inline]
    pub(super) fn pop(&mut self, token: Token) {
        let count = &mut self.count[token.index()];
        *count = count.saturating_sub(1);
    }

    /// Adds a token in a cycle; the counter saturates.
    #[inline]
    pub(super) fn push(&mut self, token: Token, cycle: u64) {
        let count = &mut self.count[token.index()];
        if *count == 0 {
            self.since[token.index()] = cycle;
        }
        *count = count.saturating_add(1);
    }
}
