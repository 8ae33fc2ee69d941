//! CPU time of a search.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Whose CPU time is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuClock {
    /// All threads of the program: right when nothing else runs in it.
    Process,
    /// The calling thread alone: right when a search keeps to its thread.
    Thread,
}

impl CpuClock {
    /// CPU time so far; zero where the system has no such clock.
    pub fn now(self) -> Duration {
        let id = match self {
            Self::Process => ClockId::CLOCK_PROCESS_CPUTIME_ID,
            Self::Thread => ClockId::CLOCK_THREAD_CPUTIME_ID,
        };
        clock_gettime(id).map(Duration::from).unwrap_or_default()
    }
}
