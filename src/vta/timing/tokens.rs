//! The four dependency counters: 8 bits each, saturating (timing note section 1).

use crate::vta::isa::Token;

/// A set of queues, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TokenSet(u8);

impl TokenSet {
    pub(super) const EMPTY: TokenSet = TokenSet(0);

    #[inline]
    pub(super) fn of(tokens: [Option<Token>; 2]) -> Self {
        let bit = |token: Option<Token>| token.map_or(0, |token| 1 << token.index());
        TokenSet(bit(tokens[0]) | bit(tokens[1]))
    }

    #[inline]
    fn bit(token: Token) -> Self {
        TokenSet(1 << token.index())
    }

    #[inline]
    pub(super) fn contains(self, token: Token) -> bool {
        self.0 & TokenSet::bit(token).0 != 0
    }

    /// The queues of the set, the previous module's before the next module's.
    #[inline]
    pub(super) fn iter(self) -> impl Iterator<Item = Token> {
        Token::ALL
            .into_iter()
            .filter(move |&token| self.contains(token))
    }
}

/// Tokens in the queues, with the cycle in which each queue last stopped being empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tokens {
    count: [u8; 4],
    since: [u64; 4],
    available: TokenSet,
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
            ..Tokens::default()
        };
        for token in Token::ALL {
            if count[token.index()] > 0 {
                self.available.0 |= TokenSet::bit(token).0;
            }
        }
    }

    /// A new launch counts cycles from 0 again.
    pub(super) fn restart(&mut self) {
        self.since = [0; 4];
    }

    /// Every queue of the set has a token.
    #[inline]
    pub(super) fn have(&self, wanted: TokenSet) -> bool {
        self.available.0 & wanted.0 == wanted.0
    }

    #[inline]
    pub(super) fn has(&self, token: Token) -> bool {
        self.available.contains(token)
    }

    /// The cycle since which the queue is not empty; only meaningful while it is not.
    #[inline]
    pub(super) fn since(&self, token: Token) -> u64 {
        self.since[token.index()]
    }

    /// Takes a token and returns how many are left; the queue must have one.
    #[inline]
    pub(super) fn pop(&mut self, token: Token) -> u8 {
        let count = &mut self.count[token.index()];
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.available.0 &= !TokenSet::bit(token).0;
        }
        *count
    }

    /// Adds a token in a cycle and returns how many there are; the counter saturates.
    #[inline]
    pub(super) fn push(&mut self, token: Token, cycle: u64) -> u8 {
        let count = &mut self.count[token.index()];
        if *count == 0 {
            self.since[token.index()] = cycle;
            self.available.0 |= TokenSet::bit(token).0;
        }
        *count = count.saturating_add(1);
        *count
    }
}
