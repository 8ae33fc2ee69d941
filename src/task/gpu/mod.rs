//! Which configurations of TVM's GPU templates fit a device, computed from shapes and knobs alone.
//!
//! A GPU runs a kernel in blocks of threads, and limits how many threads a block has and how much shared memory. TVM looks
//! at both after it has lowered a candidate (`verify_gpu_code`), which takes some 20 ms each; most candidates of a large
//! space end there. What is here says the same from the knobs: [`templates`] is the table of what each template launches,
//! [`launch::Launch`] evaluates it for a configuration, [`GpuMask`] compares it with the device's [`GpuLimits`].
//!
//! A rule must not refuse what TVM accepts: where a tile cannot be computed exactly, the rule takes the smaller figure.

mod arguments;
mod launch;
mod limits;
mod mask;
mod templates;

pub use limits::GpuLimits;
pub(crate) use mask::GpuMask;
