//! What executes a launch.

use super::RuntimeError;
use crate::vta::config::Geometry;
use crate::vta::func::{Counters, Dram, Machine};
use crate::vta::isa::Insn;
use crate::vta::timing::TimingReport;

/// An accelerator that executes launches. Buffers, tokens and counters persist between them.
pub trait Device: Send {
    /// Its shape.
    fn geometry(&self) -> &Geometry;

    /// Executes a launch to FINISH.
    ///
    /// # Errors
    /// [`RuntimeError`] for an instruction that cannot be executed and for deadlocks.
    fn launch(&mut self, insns: &[Insn], dram: &mut dyn Dram) -> Result<(), RuntimeError>;

    /// Statistics since they were last cleared.
    fn counters(&self) -> Counters;

    /// Clears the statistics, cycles included.
    fn clear_counters(&mut self);

    /// Counts only, without computing (debug flag 1).
    fn set_skip_execution(&mut self, skip: bool);

    /// Simulated cycles since the counters were last cleared, if the device keeps time.
    fn cycles(&self) -> Option<u64> {
        None
    }

    /// Where those cycles went.
    fn time_report(&self) -> Option<TimingReport> {
        None
    }
}

/// The functional model as a device: no time.
pub struct FuncDevice {
    machine: Machine,
}

impl FuncDevice {
    /// A device of that shape.
    pub fn new(geometry: Geometry) -> Self {
        FuncDevice {
            machine: Machine::new(geometry),
        }
    }

    /// The machine.
    pub fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }
}

impl Device for FuncDevice {
    fn geometry(&self) -> &Geometry {
        self.machine.geometry()
    }

    fn launch(&mut self, insns: &[Insn], dram: &mut dyn Dram) -> Result<(), RuntimeError> {
        self.machine.launch(insns, dram)?;
        Ok(())
    }

    fn counters(&self) -> Counters {
        self.machine.counters()
    }

    fn clear_counters(&mut self) {
        self.machine.clear_counters();
    }

    fn set_skip_execution(&mut self, skip: bool) {
        self.machine.set_skip_execution(skip);
    }
}

/// Instructions one a line, for debug flag 2.
pub(super) fn listing(insns: &[Insn]) -> String {
    insns
        .iter()
        .enumerate()
        .map(|(index, insn)| format!("{index:>7}  {insn}\n"))
        .collect()
}
