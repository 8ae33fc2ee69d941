//! The driver that compiled kernels call: it builds instruction streams, keeps micro-operation kernels and device memory,
//! and launches the accelerator (spec section 3).
//!
//! [`Runtime`] is the safe API and belongs to one geometry at a time; [`global`] is the one instance of a process that the
//! exported C functions of [`super::c_api`] share. What executes a launch is a [`Device`].

mod device;
mod error;
pub mod global;
mod kernel;
mod memory;
mod queue;
mod serialize;
mod session;
mod simulated;
mod uop_cache;

pub use device::{Device, FuncDevice};
pub use error::{KernelError, RuntimeError};
pub use kernel::{KernelBuilder, KernelOp, UopCall, UopKernel, UopLoop, UopMode};
pub use memory::{BufferHandle, MemoryManager, PAGE_BYTES};
pub use queue::{InsnQueue, MAX_INSNS, Stage};
pub use session::{CallSite, DebugFlags, LoadArgs, Runtime, StoreArgs};
pub use simulated::{SimulatedDevice, SimulationMode, UnknownMode};
pub use uop_cache::{MAX_UOPS, UOP_BASE};
