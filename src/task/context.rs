//! What a strategy may know of a task besides its space.

use super::Workload;

/// The sort of device that code is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetKind {
    /// A processor (`llvm`, `c`).
    Cpu,
    /// A graphics processor (`cuda`, `opencl`, `rocm`, `vulkan`, `metal`).
    Gpu,
    /// The accelerator VTA (`ext_dev -device=vta`).
    Vta,
}

impl TargetKind {
    /// The sort that a target's text names; what is no CPU and no VTA counts as a GPU.
    pub fn of_target(target: &str) -> Self {
        let mut words = target.split_whitespace();
        match words.next() {
            Some("ext_dev") => Self::Vta,
            Some("llvm" | "c" | "ccompiler" | "stackvm" | "hexagon" | "test") | None => Self::Cpu,
            Some(_) => Self::Gpu,
        }
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Vta => "vta",
        }
    }
}

/// What is known of a task besides its knobs: which agents own which knobs, and the shape features, come from it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskContext {
    /// The sort of device.
    pub target: TargetKind,
    /// Template, arguments and target, where they are known: a record of another tuner has none.
    pub workload: Option<Workload>,
}

impl TaskContext {
    /// What a workload says.
    pub fn of(workload: &Workload) -> Self {
        Self {
            target: TargetKind::of_target(&workload.target),
            workload: Some(workload.clone()),
        }
    }

    /// Only the sort of device is known.
    pub const fn bare(target: TargetKind) -> Self {
        Self {
            target,
            workload: None,
        }
    }
}
