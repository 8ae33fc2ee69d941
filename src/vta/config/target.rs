//! The `TARGET` field: which board or simulator a configuration is for.

use serde::{Deserialize, Serialize};

/// A board or simulator that VTA's tools know by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The functional simulator.
    Sim,
    /// The cycle-accurate simulator.
    Tsim,
    /// Xilinx PYNQ-Z1/Z2 (xc7z020).
    Pynq,
    /// Avnet Ultra96 (xczu3eg).
    Ultra96,
    /// Xilinx ZCU104 (xczu7ev).
    Zcu104,
    /// Terasic DE10-Nano (Cyclone V SoC).
    De10nano,
    /// Intel FPGA over OpenCL.
    Intelfocl,
}

impl Target {
    /// Every target, in the order the documentation lists them.
    pub const ALL: [Target; 7] = [
        Target::Sim,
        Target::Tsim,
        Target::Pynq,
        Target::Ultra96,
        Target::Zcu104,
        Target::De10nano,
        Target::Intelfocl,
    ];

    /// The name `vta_config.json` and `-model=` use.
    pub fn name(self) -> &'static str {
        match self {
            Target::Sim => "sim",
            Target::Tsim => "tsim",
            Target::Pynq => "pynq",
            Target::Ultra96 => "ultra96",
            Target::Zcu104 => "zcu104",
            Target::De10nano => "de10nano",
            Target::Intelfocl => "intelfocl",
        }
    }

    /// The target of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Target> {
        Target::ALL.into_iter().find(|t| t.name() == name)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
