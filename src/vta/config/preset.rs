//! Named configurations: the boards that VTA's sample configurations are for.

use super::{Geometry, Target, VtaConfig};

/// A named configuration. All share the core geometry `1x16_i8w8a32_15_15_18_17` of the shipped samples (spec section 1);
/// bus width and clock are those of spec section 7, burst lengths those of the simulated shells (vta timing notes):
/// 16 beats for `sim` and `de10nano`, 256 for the boards with a Xilinx shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// PYNQ-Z1/Z2: 64-bit bus, bursts of 256, 100 MHz.
    Pynq,
    /// DE10-Nano: 64-bit bus, bursts of 16, 100 MHz.
    De10nano,
    /// Ultra96: 128-bit bus, bursts of 256, 333 MHz.
    Ultra96,
    /// ZCU104: 128-bit bus, bursts of 256, 333 MHz.
    Zcu104,
    /// The simulator's default: 64-bit bus, bursts of 16, 100 MHz.
    Sim,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Preset; 5] = [
        Preset::Pynq,
        Preset::De10nano,
        Preset::Ultra96,
        Preset::Zcu104,
        Preset::Sim,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.target().name()
    }

    /// The preset of that name.
    pub fn from_name(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|p| p.name() == name)
    }

    fn target(self) -> Target {
        match self {
            Preset::Pynq => Target::Pynq,
            Preset::De10nano => Target::De10nano,
            Preset::Ultra96 => Target::Ultra96,
            Preset::Zcu104 => Target::Zcu104,
            Preset::Sim => Target::Sim,
        }
    }

    /// The configuration as a file would hold it.
    pub fn config(self) -> VtaConfig {
        self.geometry().to_config()
    }

    /// The checked geometry.
    pub fn geometry(self) -> Geometry {
        let (axi_bits, max_burst, clock_mhz) = match self {
            Preset::Sim | Preset::De10nano => (64, 16, 100),
            Preset::Pynq => (64, 256, 100),
            Preset::Ultra96 | Preset::Zcu104 => (128, 256, 333),
        };
        // Written out rather than checked: the test `every_preset_is_a_valid_geometry` does the checking.
        Geometry {
            target: self.target(),
            log_inp_width: 3,
            log_wgt_width: 3,
            log_acc_width: 5,
            log_batch: 0,
            log_block: 4,
            log_block_in: 4,
            log_block_out: 4,
            log_uop_buff: 15,
            log_inp_buff: 15,
            log_wgt_buff: 18,
            log_acc_buff: 17,
            axi_bits,
            max_burst,
            clock_mhz,
        }
    }
}

impl Default for Geometry {
    /// The simulator's preset.
    fn default() -> Self {
        Preset::Sim.geometry()
    }
}
