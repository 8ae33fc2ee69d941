//! Which agent owns which knob.

use crate::task::{Entity, Knob, KnobKind, TargetKind, TaskContext};

/// The three agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// What the hardware runs side by side: vector lanes, threads and blocks, the accelerator's tile of channels.
    Hardware,
    /// In which order and how far unrolled: operator scheduling.
    Scheduling,
    /// Which part of the data is close by when: memory mapping.
    Mapping,
}

impl Role {
    /// Every role, in the order in which teams keep them.
    pub const ALL: [Self; 3] = [Self::Hardware, Self::Scheduling, Self::Mapping];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hardware => "hardware",
            Self::Scheduling => "scheduling",
            Self::Mapping => "mapping",
        }
    }

    /// Its place in [`Self::ALL`].
    pub const fn position(self) -> usize {
        self as usize
    }
}

/// How knobs are dealt out to agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ownership {
    /// By [`role_of`].
    #[default]
    ByRole,
    /// The hardware agent has no knobs: nobody moves them, they stay as a walk found them.
    WithoutHardware,
    /// One agent owns every knob.
    One,
}

impl Ownership {
    /// The agent that moves a knob of a task, if one does.
    pub fn owner(self, task: &TaskContext, knob: &Knob) -> Option<Role> {
        match (self, role_of(task, knob)) {
            (Self::ByRole, role) => Some(role),
            (Self::WithoutHardware, Role::Hardware) => None,
            (Self::WithoutHardware, role) => Some(role),
            (Self::One, _) => Some(Role::Mapping),
        }
    }
}

/// Splits of VTA's templates that shape what one instruction computes (`conv2d_packed`, `dense_packed`).
const VTA_HARDWARE: [&str; 3] = ["tile_b", "tile_ci", "tile_co"];
/// What knobs of the accelerator itself begin with, where it is chosen, too (`codesign`).
const VTA_GEOMETRY: &str = "log_";
/// Splits of TVM's x86 and ARM templates whose inner part becomes vector lanes.
const CPU_HARDWARE: [&str; 6] = [
    "tile_oc",
    "tile_co",
    "tile_x",
    "tile_inner",
    "tile_k2",
    "vc",
];
/// Splits of TVM's GPU templates along reductions: they are no threads.
const GPU_REDUCTION: [&str; 10] = [
    "tile_rc", "tile_ry", "tile_rx", "tile_rz", "tile_rh", "tile_rw", "tile_k", "tile_rd",
    "tile_ci", "tile_rcc",
];
/// GPU templates in which the threads of a block share a sum: there a reduction is threads.
const SHARED_SUM: [&str; 2] = ["dense_small_batch.gpu", "matmul_default.gpu"];
/// Numbers in TVM's templates for Intel's GPUs that become vector lanes, and those that one thread computes alone.
const GPU_LANES: [&str; 2] = ["tile_ic", "tile_oc"];
const GPU_OWN: [&str; 3] = ["block_oh", "block_ow", "yt"];
/// What names of scheduling knobs contain, on every target.
const SCHEDULING: [&str; 8] = [
    "unroll", "thread", "reorder", "order", "ann", "fuse", "inline", "use_",
];

/// The agent that owns a knob: every knob has exactly one owner.
///
/// | target | hardware | scheduling | mapping |
/// |---|---|---|---|
/// | VTA | `tile_b`, `tile_ci`, `tile_co` | `oc_nthread`, `h_nthread` | `tile_h`, `tile_w` |
/// | VTA, co-design | the geometry (`log_...`), too | the same | the same |
/// | CPU | splits that become vector lanes | unrolling, order, annotations | the other tiles |
/// | GPU | splits bound to blocks, threads and virtual threads; vector lanes | unrolling, order | reduction tiles, tiles that a thread computes alone |
///
/// The table is that of the method (an open point of the paper). Names are those of TVM 0.19's templates. On a GPU a
/// name with `block` counts as hardware, so that kernels of other tuners (`block_size_x`) are dealt out, too. An
/// annotation that can be `vec` chooses vector lanes.
pub fn role_of(task: &TaskContext, knob: &Knob) -> Role {
    let name = knob.name();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match task.target {
        TargetKind::Vta if VTA_HARDWARE.contains(&name) || name.starts_with(VTA_GEOMETRY) => {
            return Role::Hardware;
        }
        TargetKind::Cpu if CPU_HARDWARE.contains(&name) => return Role::Hardware,
        TargetKind::Gpu => {
            if let Some(role) = role_on_gpu(task, knob) {
                return role;
            }
        }
        TargetKind::Vta | TargetKind::Cpu => {}
    }
    let ordering = matches!(knob.kind(), KnobKind::Reorder | KnobKind::Annotate);
    if ordering || has(&SCHEDULING) {
        return Role::Scheduling;
    }
    match knob.kind() {
        KnobKind::Split if task.target == TargetKind::Gpu && !GPU_REDUCTION.contains(&name) => {
            Role::Hardware
        }
        KnobKind::Split => Role::Mapping,
        _ if name.contains("tile") => Role::Mapping,
        // Flags and choices of a variant.
        _ => Role::Scheduling,
    }
}

/// What is special of a GPU's templates; `None` if nothing is.
fn role_on_gpu(task: &TaskContext, knob: &Knob) -> Option<Role> {
    let name = knob.name();
    let template = task.workload.as_ref().map_or("", |workload| &workload.name);
    let is_vec = |entity: &Entity| matches!(entity, Entity::Annotate(annotations) if annotations.iter().any(|a| a == "vec"));
    if GPU_OWN.contains(&name) {
        return Some(Role::Mapping);
    }
    let hardware = name.contains("block")
        || knob.entities().iter().any(is_vec)
        || (knob.kind() == KnobKind::Other && GPU_LANES.contains(&name))
        || (SHARED_SUM.contains(&template) && knob.kind() == KnobKind::Split);
    hardware.then_some(Role::Hardware)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Entity;
    use serde_json::json;

    fn bare(target: TargetKind) -> TaskContext {
        TaskContext::bare(target)
    }

    fn split(name: &str) -> Knob {
        let entities = vec![Entity::Split(vec![-1, 1]), Entity::Split(vec![-1, 2])];
        Knob::new(name, KnobKind::Split, entities).unwrap()
    }

    fn other(name: &str) -> Knob {
        let entities = vec![Entity::Other(json!(1)), Entity::Other(json!(2))];
        Knob::new(name, KnobKind::Other, entities).unwrap()
    }

    #[test]
    fn the_knobs_of_vta_go_where_the_paper_puts_them() {
        let role = |name| role_of(&bare(TargetKind::Vta), &split(name));
        assert_eq!(
            ["tile_b", "tile_ci", "tile_co"].map(role),
            [Role::Hardware; 3]
        );
        assert_eq!(["tile_h", "tile_w"].map(role), [Role::Mapping; 2]);
        let threads =
            ["oc_nthread", "h_nthread"].map(|name| role_of(&bare(TargetKind::Vta), &other(name)));
        assert_eq!(threads, [Role::Scheduling; 2]);
    }

    #[test]
    fn vector_lanes_of_a_cpu_are_hardware_and_its_other_tiles_are_mapping() {
        assert_eq!(
            role_of(&bare(TargetKind::Cpu), &split("tile_oc")),
            Role::Hardware
        );
        assert_eq!(
            role_of(&bare(TargetKind::Cpu), &split("tile_ow")),
            Role::Mapping
        );
        assert_eq!(
            role_of(&bare(TargetKind::Cpu), &other("tile_oh")),
            Role::Mapping
        );
        assert_eq!(
            role_of(&bare(TargetKind::Cpu), &other("unroll_kw")),
            Role::Scheduling
        );
    }

    #[test]
    fn threads_of_a_gpu_are_hardware_and_its_reductions_are_mapping() {
        assert_eq!(
            role_of(&bare(TargetKind::Gpu), &split("tile_f")),
            Role::Hardware
        );
        assert_eq!(
            role_of(&bare(TargetKind::Gpu), &split("tile_rc")),
            Role::Mapping
        );
        assert_eq!(
            role_of(&bare(TargetKind::Gpu), &other("auto_unroll_max_step")),
            Role::Scheduling
        );
        assert_eq!(
            role_of(&bare(TargetKind::Gpu), &other("block_size_x")),
            Role::Hardware
        );
        assert_eq!(
            role_of(&bare(TargetKind::Gpu), &other("tile_size_x")),
            Role::Mapping
        );
    }

    #[test]
    fn vector_lanes_and_shared_sums_of_a_gpu_are_hardware() {
        let annotated = |values: &[&str]| {
            let entities = values
                .iter()
                .map(|value| Entity::Annotate(vec![(*value).to_owned()]))
                .collect();
            Knob::new("ann_spatial", KnobKind::Annotate, entities).unwrap()
        };
        let gpu = bare(TargetKind::Gpu);
        assert_eq!(role_of(&gpu, &annotated(&["none", "vec"])), Role::Hardware);
        assert_eq!(
            role_of(&gpu, &annotated(&["none", "unroll"])),
            Role::Scheduling
        );
        assert_eq!(role_of(&gpu, &other("tile_oc")), Role::Hardware);
        assert_eq!(role_of(&gpu, &other("block_oh")), Role::Mapping);
        assert_eq!(role_of(&gpu, &split("tile_k")), Role::Mapping);
        let dense = TaskContext::of(&crate::task::Workload {
            target: "cuda -keys=cuda,gpu -arch=sm_80".to_owned(),
            name: "dense_small_batch.gpu".to_owned(),
            args: json!([]),
        });
        assert_eq!(role_of(&dense, &split("tile_k")), Role::Hardware);
    }

    #[test]
    fn without_the_hardware_agent_nobody_moves_its_knobs() {
        let ownership = Ownership::WithoutHardware;
        assert_eq!(
            ownership.owner(&bare(TargetKind::Vta), &split("tile_b")),
            None
        );
        assert_eq!(
            ownership.owner(&bare(TargetKind::Vta), &split("tile_h")),
            Some(Role::Mapping)
        );
    }
}
