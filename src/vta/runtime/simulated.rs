//! The device that a process has unless it chooses another: the functional model, the timing model, or both.

use super::{Device, RuntimeError};
use crate::vta::config::Geometry;
use crate::vta::func::{Counters, Dram, Machine};
use crate::vta::isa::Insn;
use crate::vta::timing::{TimingModel, TimingReport};
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// What a launch is executed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SimulationMode {
    /// Results and time.
    #[default]
    Full,
    /// Time alone: memory stays as it is, and addresses are not looked at.
    Timing,
    /// Results alone.
    Functional,
}

impl SimulationMode {
    /// All of them.
    pub const ALL: [SimulationMode; 3] = [
        SimulationMode::Full,
        SimulationMode::Timing,
        SimulationMode::Functional,
    ];

    /// `full`, `timing` or `functional`.
    pub fn name(self) -> &'static str {
        match self {
            SimulationMode::Full => "full",
            SimulationMode::Timing => "timing",
            SimulationMode::Functional => "functional",
        }
    }
}

impl Display for SimulationMode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A mode's name that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown simulation mode `{0}`; full (results and time), timing and functional are known")]
pub struct UnknownMode(String);

impl FromStr for SimulationMode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        SimulationMode::ALL
            .into_iter()
            .find(|mode| mode.name() == name)
            .ok_or_else(|| UnknownMode(name.to_owned()))
    }
}

/// The models of one accelerator. Both, where there are both, see the same launches and so hold the same tokens.
pub struct SimulatedDevice {
    geometry: Geometry,
    machine: Option<Machine>,
    timing: Option<TimingModel>,
    /// Of all launches since the counters were cleared.
    cycles: u64,
    skip_execution: bool,
}

impl SimulatedDevice {
    /// An accelerator as after power-on: zeroed buffers, no tokens.
    pub fn new(geometry: Geometry, mode: SimulationMode) -> Self {
        SimulatedDevice {
            geometry,
            machine: (mode != SimulationMode::Timing).then(|| Machine::new(geometry)),
            timing: (mode != SimulationMode::Functional).then(|| TimingModel::new(&geometry)),
            cycles: 0,
            skip_execution: false,
        }
    }

    fn try_launch(&mut self, insns: &[Insn], dram: &mut dyn Dram) -> Result<(), RuntimeError> {
        if let Some(machine) = &mut self.machine {
            machine.launch(insns, dram)?;
        }
        if let Some(timing) = &mut self.timing {
            self.cycles += timing.launch(insns)?.cycles;
        }
        Ok(())
    }

    /// Back to power-on; the cycles that have passed stay passed.
    fn reset(&mut self) {
        if self.machine.is_some() {
            let mut machine = Machine::new(self.geometry);
            machine.set_skip_execution(self.skip_execution);
            self.machine = Some(machine);
        }
        if self.timing.is_some() {
            self.timing = Some(TimingModel::new(&self.geometry));
        }
    }
}

impl Device for SimulatedDevice {
    fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// A launch that fails resets the accelerator: the tokens that it leaves behind would mislead the next one.
    fn launch(&mut self, insns: &[Insn], dram: &mut dyn Dram) -> Result<(), RuntimeError> {
        let result = self.try_launch(insns, dram);
        if result.is_err() {
            self.reset();
        }
        result
    }

    fn counters(&self) -> Counters {
        match (&self.machine, &self.timing) {
            (Some(machine), _) => machine.counters(),
            (None, Some(timing)) => timing.report("", Vec::new()).counters,
            (None, None) => Counters::default(),
        }
    }

    fn clear_counters(&mut self) {
        self.cycles = 0;
        if let Some(machine) = &mut self.machine {
            machine.clear_counters();
        }
        if let Some(timing) = &mut self.timing {
            let tokens = timing.tokens();
            *timing = TimingModel::new(&self.geometry);
            timing.set_tokens(tokens);
        }
    }

    fn set_skip_execution(&mut self, skip: bool) {
        self.skip_execution = skip;
        if let Some(machine) = &mut self.machine {
            machine.set_skip_execution(skip);
        }
    }

    fn cycles(&self) -> Option<u64> {
        self.timing.is_some().then_some(self.cycles)
    }

    fn time_report(&self) -> Option<TimingReport> {
        let timing = self.timing.as_ref()?;
        Some(timing.report("", vec![self.cycles]))
    }
}
