//! The functional model: what a program does to memory, without time (spec section 2).
//!
//! [`Machine`] holds what persists between launches: the buffers, the tokens in the four queues, and the counters. A
//! launch runs three modules, each in order, as tokens allow. It models the accelerator, not the host: loads and stores
//! go to any [`Dram`].

/// Compiles a function of `simd.rs` for the 512-bit instructions; the test model compiles it without.
#[cfg(target_arch = "x86_64")]
macro_rules! on_avx512 {
    ($item:item) => {
        #[target_feature(enable = "avx512f,avx512vnni")]
        $item
    };
}

mod alu;
#[cfg(target_arch = "x86_64")]
mod arch512;
mod dram;
mod error;
mod gemm;
mod kernel;
mod machine;
mod memory;
#[cfg(all(test, target_arch = "x86_64"))]
mod model;
mod operands;
mod schedule;
#[cfg(target_arch = "x86_64")]
mod simd;

pub use super::program::Counters;
pub use dram::{Dram, DramError, PagedDram, Unmapped};
pub use error::{Blocked, Deadlock, ExecError, FuncError, Head};
pub use kernel::GemmPath;
pub use machine::{DEFAULT_MAX_OPERATIONS, Machine};
pub use schedule::Outcome;
