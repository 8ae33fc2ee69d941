//! Strategies on recorded spaces: a search without a device, repeated over seeds, and what it is worth.
//!
//! A [`RecordedSpace`](crate::measure::recorded::RecordedSpace) answers in the place of builders and devices.
//! [`replay`] runs one strategy on one space with one seed, [`run_all`] many of them on several threads;
//! [`Yardstick`] turns what a run found into shares of the optimum and a score, and [`Paired`] says whether two
//! strategies differ by more than chance.

mod cpu;
mod expectation;
mod jobs;
mod picture;
mod run;
mod run_json;
mod statistics;
mod yardstick;

pub use cpu::CpuClock;
pub use expectation::random_expectation;
pub use jobs::{Before, Job, run_all};
pub use picture::{Curves, draw};
pub use run::{History, ReplayError, replay, replay_with};
pub use run_json::{HistoryLine, RunKey, read_histories};
pub use statistics::{Paired, mean, median, pooled, quantile, standard_deviation};
pub use yardstick::{SCORE_FROM, SCORE_TO, Yardstick};
