//! When the zeros of a padded LOAD are written.

use crate::vta::isa::MemInsn;
use std::ops::Range;

/// Writes the zero elements of a LOAD in the cycles in which its data does not write.
///
/// One element a cycle in buffer order: the rows above, then the elements beside each row, then the rows below. A row
/// without elements beside it is passed in one cycle, which needs no write. From the timing note (section 3, padding)
/// and from the RTL records, whose padded loads it reproduces to the cycle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Padding {
    /// Zeros before (and beside) the rows, rows to pass, zeros after them: what is left.
    before: u64,
    pass: u64,
    after: u64,
    /// The next cycle to use.
    at: u64,
    /// The last cycle that wrote a zero.
    last: Option<u64>,
}

impl Padding {
    /// The padding of a LOAD that starts in cycle `start`.
    #[inline]
    pub(super) fn new(m: &MemInsn, start: u64) -> Self {
        let width = m.padded_row();
        let beside = u64::from(m.x_pad_0) + u64::from(m.x_pad_1);
        let rows = u64::from(m.y_size);
        Padding {
            before: u64::from(m.y_pad_0) * width + rows * beside,
            pass: if beside == 0 { rows } else { 0 },
            after: u64::from(m.y_pad_1) * width,
            at: start,
            last: None,
        }
    }

    /// No padding.
    pub(super) fn none() -> Self {
        Padding {
            before: 0,
            pass: 0,
            after: 0,
            at: 0,
            last: None,
        }
    }

    /// Nothing to write.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.before == 0 && self.after == 0
    }

    /// Data writes in these cycles; ranges come in order.
    #[inline]
    pub(super) fn data(&mut self, cycles: &Range<u64>) {
        if self.is_empty() {
            return;
        }
        self.write_until(cycles.start);
        let (from, to) = (cycles.start.max(self.at), cycles.end);
        if to > from {
            if self.before == 0 {
                self.pass -= self.pass.min(to - from);
            }
            self.at = to;
        }
    }

    /// Writes what is left; the last cycle that wrote a zero, if any did.
    #[inline]
    pub(super) fn finish(&mut self) -> Option<u64> {
        self.write_until(u64::MAX);
        self.last
    }

    fn write_until(&mut self, to: u64) {
        let mut write = |left: &mut u64, at: &mut u64| {
            let count = (*left).min(to.saturating_sub(*at));
            if count > 0 {
                *left -= count;
                *at += count;
                self.last = Some(*at - 1);
            }
        };
        write(&mut self.before, &mut self.at);
        if self.before == 0 {
            let count = self.pass.min(to.saturating_sub(self.at));
            self.pass -= count;
            self.at += count;
            if self.pass == 0 {
                write(&mut self.after, &mut self.at);
            }
        }
    }
}
