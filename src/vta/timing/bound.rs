//! What bounds the time of a program: the unit that is hardly ever free.

use super::report::{ModuleTiming, TimingReport};
use crate::vta::isa::Module;

/// What bounds a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The compute module works nearly all the time, and multiplies for the most part.
    MacArray,
    /// The compute module works nearly all the time, for the most part on what is not multiplying: the vector unit's
    /// operations, and clearing accumulators.
    VectorUnit,
    /// One of the modules moves data, or waits for it, nearly all the time.
    Memory,
    /// No unit is occupied that much: they wait for each other.
    Dependencies,
}

impl Bound {
    /// As tables have it.
    pub const fn name(self) -> &'static str {
        match self {
            Bound::MacArray => "MAC array",
            Bound::VectorUnit => "vector unit",
            Bound::Memory => "memory",
            Bound::Dependencies => "dependencies",
        }
    }
}

/// Share of the cycles from which on a unit is hardly ever free.
const OCCUPIED: f64 = 0.7;

impl TimingReport {
    /// What bounds the program; of two units that are occupied, the one that is more so. `None` without cycles.
    pub fn bound_by(&self) -> Option<Bound> {
        if self.cycles == 0 {
            return None;
        }
        let occupied = self.modules.iter().flat_map(occupation);
        let (bound, cycles) = occupied.max_by_key(|(_, cycles)| *cycles)?;
        let share = cycles as f64 / self.cycles as f64;
        Some(if share < OCCUPIED {
            Bound::Dependencies
        } else {
            bound
        })
    }
}

/// Cycles in which a module computes, and in which it waits for memory or moves data.
fn occupation(module: &ModuleTiming) -> [(Bound, u64); 2] {
    let memory = module.busy + module.waiting_for_memory;
    if module.module != Module::Compute {
        return [(Bound::Memory, memory), (Bound::Dependencies, 0)];
    }
    let class = |names: &[&str]| -> u64 {
        let cycles = names.iter().filter_map(|name| module.classes.get(name));
        cycles.map(|class| class.cycles).sum()
    };
    let matrix = class(&["gemm"]);
    let vector = class(&["gemm_reset", "alu_imm", "alu_tensor"]);
    let unit = if matrix >= vector {
        Bound::MacArray
    } else {
        Bound::VectorUnit
    };
    [
        (unit, matrix + vector),
        (Bound::Memory, module.waiting_for_memory),
    ]
}
