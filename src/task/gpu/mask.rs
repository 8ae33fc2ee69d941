//! The mask of a space: configurations that cannot run on a device.

use crate::task::{ConfigIndex, Knob, ValidityFilter, Workload};

use super::launch::{Launch, Sizes};
use super::limits::GpuLimits;
use super::templates;

/// What a task's configurations launch, against the limits of a device.
#[derive(Clone, Debug)]
pub(crate) struct GpuMask {
    launches: Vec<Launch>,
    sizes: Sizes,
    limits: GpuLimits,
}

impl GpuMask {
    /// The mask of a task; `None` if its template is none that is known, or has other knobs or arguments.
    pub(crate) fn new(workload: &Workload, knobs: &[Knob], limits: GpuLimits) -> Option<Self> {
        let sizes = Sizes::new(knobs);
        let launches = templates::launches(workload, knobs, &sizes)?;
        Some(Self {
            launches,
            sizes,
            limits,
        })
    }

    /// Whether the configuration with these digits can run.
    pub(crate) fn allows(&self, digits: &[u32]) -> bool {
        let sizes = &self.sizes;
        self.launches
            .iter()
            .filter(|launch| launch.applies(sizes, digits))
            .all(|launch| {
                let threads = launch.threads(sizes, digits);
                launch.is_consistent(sizes, digits)
                    && self
                        .limits
                        .allow(threads, launch.shared_bytes(sizes, digits))
            })
    }

    /// What the configuration with these digits launches: threads along x, y and z, and bytes of shared memory.
    pub(crate) fn launches(&self, digits: &[u32]) -> impl Iterator<Item = ([u64; 3], u64)> {
        let sizes = &self.sizes;
        self.launches
            .iter()
            .filter(move |launch| launch.applies(sizes, digits))
            .map(move |launch| {
                let threads = launch.threads(sizes, digits);
                (threads, launch.shared_bytes(sizes, digits))
            })
    }

    fn digits(&self, index: ConfigIndex) -> Vec<u32> {
        let mut rest = index.0;
        let digit = |size: usize| {
            let digit = rest % size as u64;
            rest /= size as u64;
            digit as u32
        };
        self.sizes.lengths().map(digit).collect()
    }
}

impl ValidityFilter for GpuMask {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        let allows = |index: &ConfigIndex| self.allows(&self.digits(*index));
        Ok(indices.iter().map(allows).collect())
    }

    fn is_cheap(&self) -> bool {
        true
    }
}
