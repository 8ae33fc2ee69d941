//! Data layouts that a configuration chooses.

use super::{ConfigEntity, Entity, Workload};

/// How many channels lie side by side in what an operator reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelBlocks {
    /// Block of the data that it reads.
    pub reads: i64,
    /// Block of the data that it writes.
    pub writes: i64,
}

impl ChannelBlocks {
    /// The blocks that a configuration chooses; `None` for templates that leave the layout as it is.
    ///
    /// TVM 0.19's `NCHWc` templates read channels in blocks of the innermost `tile_ic` and write them in blocks of the
    /// innermost `tile_oc` (`topi/x86/conv2d_alter_op.py`).
    pub fn of(workload: &Workload, config: &ConfigEntity) -> Option<Self> {
        if !workload.name.contains("NCHWc") {
            return None;
        }
        let innermost = |knob: &str| {
            let (_, entity) = config.entities.iter().find(|(name, _)| name == knob)?;
            match entity {
                Entity::Split(sizes) => sizes.last().copied(),
                _ => None,
            }
        };
        Some(Self {
            reads: innermost("tile_ic")?,
            writes: innermost("tile_oc")?,
        })
    }
}
