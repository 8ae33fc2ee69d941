//! The four dependency counters: 8 bits each, saturating (timing note section 1).

use crate::vta::isa::{Module, Token};

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
    pub(super) fn contains(self, token: Token) -> bool {
        self.0 & (1 << token.index()) != 0
    }

    /// The queues of the set, the previous module's before the next module's.
    #[inline]
    pub(super) fn iter(self) -> impl Iterator<Item = Token> {
        Token::ALL
            .into_iter()
            .filter(move |&token| self.contains(token))
    }

    /// 1 in the byte of each queue of the set.
    #[inline]
    fn bytes(self) -> u32 {
        // Copies at distances of 7 bits put bit n of the set at bit 8 n.
        (u32::from(self.0) * 0x0020_4081) & 0x0101_0101
    }
}

/// The queues that a module takes from: the previous module's, then the next module's; the same twice if it has one.
#[inline]
pub(super) fn taken_by(module: Module) -> [Token; 2] {
    match module {
        Module::Load => [Token::ComputeToLoad; 2],
        Module::Compute => [Token::LoadToCompute, Token::StoreToCompute],
        Module::Store => [Token::ComputeToStore; 2],
    }
}

/// Tokens in the queues, with the cycle in which each queue last stopped being empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tokens {
    /// A byte for each queue, the first lowest.
    counts: u32,
    since: [u64; 4],
}

impl Tokens {
    /// Tokens in each queue, in the order of [`Token::ALL`].
    #[inline]
    pub(super) fn counts(&self) -> [u8; 4] {
        self.counts.to_le_bytes()
    }

    /// Sets the counts, as of cycle 0.
    pub(super) fn set(&mut self, counts: [u8; 4]) {
        *self = Tokens {
            counts: u32::from_le_bytes(counts),
            since: [0; 4],
        };
    }

    /// A new launch counts cycles from 0 again.
    pub(super) fn restart(&mut self) {
        self.since = [0; 4];
    }

    /// Every queue of the set has a token.
    #[inline]
    pub(super) fn have(&self, wanted: TokenSet) -> bool {
        let wanted = wanted.bytes() << 7;
        self.filled() & wanted == wanted
    }

    #[inline]
    pub(super) fn count(&self, token: Token) -> u8 {
        self.counts()[token.index()]
    }

    /// The cycle since which the queue is not empty; only meaningful while it is not.
    #[inline]
    pub(super) fn since(&self, token: Token) -> u64 {
        self.since[token.index()]
    }

    /// Takes a token from each queue of a set that [`Tokens::have`] has found filled.
    #[inline]
    pub(super) fn take(&mut self, set: TokenSet) {
        self.counts = self.counts.wrapping_sub(set.bytes());
    }

    /// Adds a token to each queue of the set in a cycle; counters saturate.
    #[inline]
    pub(super) fn give(&mut self, set: TokenSet, cycle: u64) {
        let more = set.bytes();
        let mut filling = !self.filled() & (more << 7);
        while filling != 0 {
            self.since[filling.trailing_zeros() as usize / 8] = cycle;
            filling &= filling - 1;
        }
        if self.counts & 0x8080_8080 == 0 {
            self.counts += more;
        } else {
            let (mut counts, more) = (self.counts(), more.to_le_bytes());
            for (count, more) in counts.iter_mut().zip(more) {
                *count = count.saturating_add(more);
            }
            self.counts = u32::from_le_bytes(counts);
        }
    }

    /// The top bit of each byte that is not zero.
    #[inline]
    fn filled(&self) -> u32 {
        const LOW: u32 = 0x7f7f_7f7f;
        (((self.counts & LOW) + LOW) | self.counts) & !LOW
    }
}
