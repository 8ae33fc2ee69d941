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
}

impl ValidityFilter for GpuMask {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        let allows = |index: &ConfigIndex| self.allows(&index.digits(self.sizes.lengths()));
        Ok(indices.iter().map(allows).collect())
    }

    fn is_cheap(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::task::{ConfigSpace, Entity, KnobKind};

    use super::*;

    fn split(name: &str, sizes: &[&[i64]]) -> Knob {
        let entities = sizes.iter().map(|s| Entity::Split(s.to_vec())).collect();
        Knob::new(name, KnobKind::Split, entities).unwrap()
    }

    /// A 3x3 convolution of stride 2 whose rows and columns are split as the test says, 8 outputs on 8 threads.
    fn convolution(rows: &[&[i64]], name: &str) -> (Workload, Vec<Knob>) {
        let workload = Workload {
            target: "cuda -keys=cuda,gpu -arch=sm_80".to_owned(),
            name: name.to_owned(),
            args: json!([
                ["TENSOR", [1, 16, 65, 65], "float32"],
                ["TENSOR", [8, 16, 3, 3], "float32"],
                [2, 2],
                [0, 0, 0, 0],
                [1, 1],
                "float32"
            ]),
        };
        let knobs = vec![
            split("tile_f", &[&[-1, 1, 8, 1]]),
            split("tile_y", rows),
            split("tile_x", &[&[-1, 2, 16, 1]]),
            split("tile_rc", &[&[-1, 4]]),
            split("tile_ry", &[&[-1, 3]]),
            split("tile_rx", &[&[-1, 1]]),
        ];
        (workload, knobs)
    }

    const LIMITS: GpuLimits = GpuLimits {
        max_shared_memory_per_block: 48 * 1024,
        max_threads_per_block: 1024,
        max_thread_x: 1024,
        max_thread_y: 1024,
        max_thread_z: 64,
    };

    #[test]
    fn threads_and_tiles_of_a_convolution_are_what_its_splits_say() {
        let (workload, knobs) = convolution(&[&[-1, 1, 4, 2]], "conv2d_nchw.cuda");
        let mask = GpuMask::new(&workload, &knobs, LIMITS).unwrap();
        let launches: Vec<_> = mask.launches(&[0; 6]).collect();
        // Of 8 rows of outputs 7 steps of 2 and 3 rows of the kernel; of 32 columns 31 steps and one column.
        let data = 4 * (7 * 2 + 3) * (31 * 2 + 1);
        let kernel = 8 * 4 * 3;
        assert_eq!(launches, [([16, 4, 8], 4 * (data + kernel))]);
    }

    #[test]
    fn what_has_too_many_threads_or_too_much_shared_memory_is_masked() {
        // 8 * 4 * 16 threads; 8 * 16 * 16 threads; 64 rows of 63 columns and 4 channels.
        let rows: [&[i64]; 3] = [&[-1, 1, 4, 2], &[-1, 1, 16, 2], &[-1, 8, 4, 1]];
        let (workload, knobs) = convolution(&rows, "conv2d_nchw.cuda");
        let mask = GpuMask::new(&workload, &knobs, LIMITS).unwrap();
        let space = ConfigSpace::new(knobs)
            .unwrap()
            .with_filter(std::sync::Arc::new(mask));
        let indices: Vec<ConfigIndex> = (0..3).map(ConfigIndex).collect();
        assert_eq!(space.valid(&indices).unwrap(), [true, false, false]);
    }

    #[test]
    fn a_template_that_is_not_known_or_has_other_knobs_has_no_mask() {
        let (workload, knobs) = convolution(&[&[-1, 1, 4, 2]], "conv2d_nchw.mine");
        assert!(GpuMask::new(&workload, &knobs, LIMITS).is_none());
        let (workload, knobs) = convolution(&[&[-1, 4]], "conv2d_nchw.cuda");
        assert!(GpuMask::new(&workload, &knobs, LIMITS).is_none());
    }
}
