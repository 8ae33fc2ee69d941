//! Where a generator's decisions come from.

/// A source of decisions.
pub trait Choices {
    /// A number below `limit`; 0 if `limit` is 0.
    fn below(&mut self, limit: u64) -> u64;

    /// A number of a range, its end included; its start if it is empty.
    fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// One of several values.
    fn pick<T: Copy, const N: usize>(&mut self, options: [T; N]) -> T {
        options[self.below(N as u64) as usize]
    }

    /// True once in `n` times.
    fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 1
    }
}

/// Decisions read from bytes, such as a fuzzer's input; zeros when they run out.
#[derive(Clone, Debug)]
pub struct ByteChoices<'a> {
    bytes: &'a [u8],
}

impl<'a> ByteChoices<'a> {
    /// Reads from the front.
    pub fn new(bytes: &'a [u8]) -> Self {
        ByteChoices { bytes }
    }

    /// True when all bytes are used.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Choices for ByteChoices<'_> {
    fn below(&mut self, limit: u64) -> u64 {
        if limit <= 1 {
            return 0;
        }
        // One byte is enough for most decisions; more only where needed.
        let wanted = limit.ilog2() as usize / 8 + 1;
        let (taken, rest) = self.bytes.split_at(wanted.min(self.bytes.len()));
        self.bytes = rest;
        taken
            .iter()
            .fold(0u64, |value, &byte| value << 8 | u64::from(byte))
            % limit
    }
}
