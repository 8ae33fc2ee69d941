//! What a GPU allows.

use serde::{Deserialize, Serialize};

/// What a device allows to one block of threads, under the names of TVM's `verify_gpu_code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuLimits {
    /// Bytes of shared memory (OpenCL: local memory).
    pub max_shared_memory_per_block: u64,
    /// Threads in all.
    pub max_threads_per_block: u64,
    /// Threads along x.
    pub max_thread_x: u64,
    /// Threads along y.
    pub max_thread_y: u64,
    /// Threads along z.
    pub max_thread_z: u64,
}

impl GpuLimits {
    /// What both allow.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            max_shared_memory_per_block: self
                .max_shared_memory_per_block
                .min(other.max_shared_memory_per_block),
            max_threads_per_block: self.max_threads_per_block.min(other.max_threads_per_block),
            max_thread_x: self.max_thread_x.min(other.max_thread_x),
            max_thread_y: self.max_thread_y.min(other.max_thread_y),
            max_thread_z: self.max_thread_z.min(other.max_thread_z),
        }
    }

    /// Whether a block with so many threads along x, y and z, and so many bytes of shared memory, can run.
    pub fn allow(&self, threads: [u64; 3], shared: u64) -> bool {
        let [x, y, z] = threads;
        let all = x.saturating_mul(y).saturating_mul(z);
        all <= self.max_threads_per_block
            && x <= self.max_thread_x
            && y <= self.max_thread_y
            && z <= self.max_thread_z
            && shared <= self.max_shared_memory_per_block
    }
}
