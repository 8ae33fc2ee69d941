//! Why a run or a task ended.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

/// Why no more configurations of a task are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// Its trials are spent.
    Trials,
    /// Its space has no configuration left that was not measured.
    SpaceExhausted,
    /// So many trials brought nothing better (`--early-stopping`).
    EarlyStopping,
    /// The run's time is over (`--time`).
    Time,
    /// The user stopped the run.
    Interrupted,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trials => "trials spent",
            Self::SpaceExhausted => "whole space measured",
            Self::EarlyStopping => "nothing better for a while",
            Self::Time => "time over",
            Self::Interrupted => "interrupted",
        })
    }
}

/// Tells a run to end after what is in flight.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Asks the run to end.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
