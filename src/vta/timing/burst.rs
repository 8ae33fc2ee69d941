//! Splitting the rows of a copy into memory requests.

use super::rules::Rules;
use crate::vta::isa::MemInsn;

/// One memory request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Byte address of its first beat.
    pub addr: u64,
    /// Beats.
    pub beats: u32,
}

/// The requests of a copy in order: every row is at least one, and none crosses a multiple of the longest burst
/// (timing note section 3). Partly used beats count whole.
#[derive(Clone, Copy, Debug)]
pub struct Bursts {
    log_beat: u32,
    log_burst: u32,
    /// Byte address of the current row and of the next row's distance.
    row: u64,
    stride: u64,
    row_bytes: u64,
    rows: u32,
    /// What is left of the current row, aligned to beats.
    at: u64,
    end: u64,
}

impl Bursts {
    /// The requests of `m`; none for a NOP.
    pub fn new(m: &MemInsn, rules: &Rules) -> Self {
        let log_elem = rules.log_elem_bytes(m.mem);
        let mut bursts = Bursts {
            log_beat: rules.log_beat_bytes,
            log_burst: rules.log_burst_bytes,
            row: u64::from(m.dram_base) << log_elem,
            stride: u64::from(m.x_stride) << log_elem,
            row_bytes: u64::from(m.x_size) << log_elem,
            rows: if m.is_nop() { 0 } else { m.y_size.into() },
            at: 0,
            end: 0,
        };
        bursts.start_row();
        bursts
    }

    /// No requests.
    pub(super) fn none() -> Self {
        Bursts {
            log_beat: 0,
            log_burst: 0,
            row: 0,
            stride: 0,
            row_bytes: 0,
            rows: 0,
            at: 0,
            end: 0,
        }
    }

    #[inline]
    fn start_row(&mut self) {
        if self.rows > 0 {
            let beat = (1u64 << self.log_beat) - 1;
            self.at = self.row & !beat;
            self.end = (self.row + self.row_bytes + beat) & !beat;
        }
    }
}

impl Iterator for Bursts {
    type Item = Burst;

    #[inline]
    fn next(&mut self) -> Option<Burst> {
        if self.rows == 0 {
            return None;
        }
        let boundary = ((self.at >> self.log_burst) + 1) << self.log_burst;
        let stop = boundary.min(self.end);
        let burst = Burst {
            addr: self.at,
            beats: ((stop - self.at) >> self.log_beat) as u32,
        };
        self.at = stop;
        if stop == self.end {
            self.rows -= 1;
            self.row += self.stride;
            self.start_row();
        }
        Some(burst)
    }
}
