//! A recorded space as a device: what every configuration of a task came to, looked up instead of measured.
//!
//! [`read()`] takes AutoTVM logs, Kernel Tuner caches, T4 results and landscapes of the VTA accelerator, gzipped or not,
//! and makes a [`RecordedSpace`] of each task in them.

mod autotvm;
mod error;
mod kernel_tuner;
mod knobs;
mod landscape;
mod mask;
mod read;
mod space;
mod t1;
mod t4;

pub use error::RecordedError;
pub use read::{ReadOptions, Recording, parse, read, short_name, unpacked};
pub use space::{Evaluation, RecordedSpace};
pub use t1::T1;
