//! What FPGAs have, and whether a geometry fits.

use super::estimate::{Mapping, Resources, resources};
use crate::vta::config::Geometry;
use serde::Serialize;

/// What an FPGA offers. Figures are those of the vendors' product tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Board, as the presets call it.
    pub board: &'static str,
    /// Device.
    pub device: &'static str,
    /// 36 Kbit block RAMs (for Intel: bits of M10K blocks, divided by 36 Kbit).
    pub bram36: u64,
    /// 288 Kbit UltraRAMs, which can hold weights (spec section 7).
    pub uram: u64,
    /// DSP blocks.
    pub dsp: u64,
    /// Six-input look-up tables (for Intel: adaptive modules times two).
    pub lut: u64,
}

impl Budget {
    /// The boards of VTA's sample configurations.
    pub const ALL: [Budget; 4] = [
        // Zynq-7000 product table (XMP097): 140 block RAMs, 220 DSPs (also spec section 7), 53,200 LUTs.
        Budget {
            board: "pynq",
            device: "xc7z020",
            bram36: 140,
            uram: 0,
            dsp: 220,
            lut: 53_200,
        },
        // Zynq UltraScale+ product table (XMP104), ZU3EG.
        Budget {
            board: "ultra96",
            device: "xczu3eg",
            bram36: 216,
            uram: 0,
            dsp: 360,
            lut: 70_560,
        },
        // The same table, ZU7EV.
        Budget {
            board: "zcu104",
            device: "xczu7ev",
            bram36: 312,
            uram: 96,
            dsp: 1728,
            lut: 230_400,
        },
        // Cyclone V product table, 5CSEBA6: 5,570 Kbit in M10K blocks, 112 variable-precision DSPs of two 18 x 19
        // multipliers each, 41,910 adaptive modules.
        Budget {
            board: "de10nano",
            device: "5cseba6",
            bram36: 154,
            uram: 0,
            dsp: 224,
            lut: 83_820,
        },
    ];

    /// The budget of a board or device of that name.
    pub fn from_name(name: &str) -> Option<Budget> {
        Budget::ALL
            .into_iter()
            .find(|budget| budget.board == name || budget.device == name)
    }

    /// Whether a geometry is expected to fit, with the cheapest mapping of multipliers that does: one per DSP, two per
    /// DSP, look-up tables. Block RAM that is missing may be replaced by UltraRAM for the weights.
    pub fn fit(&self, geometry: &Geometry) -> Fit {
        let fit = |mapping| {
            let resources = resources(geometry, mapping);
            let shortages = self.shortages(&resources);
            Fit {
                budget: *self,
                resources,
                shortages,
            }
        };
        [Mapping::Single, Mapping::Packed]
            .into_iter()
            .map(fit)
            .find(Fit::fits)
            .unwrap_or_else(|| fit(Mapping::Lut))
    }

    fn shortages(&self, resources: &Resources) -> Vec<Shortage> {
        let bram = resources
            .bram36_estimate
            .saturating_sub(self.uram_relief(resources));
        [
            ("bram36", bram, self.bram36),
            ("dsp", resources.dsp_estimate, self.dsp),
            ("lut", resources.mac_lut_estimate, self.lut),
        ]
        .into_iter()
        .filter(|&(_, needed, available)| needed > available)
        .map(|(resource, needed, available)| Shortage {
            resource,
            needed,
            available,
        })
        .collect()
    }

    /// Block RAMs saved by weights in UltraRAM (72 bits by 4096 words each), if there are enough of those.
    fn uram_relief(&self, resources: &Resources) -> u64 {
        let weights = resources
            .buffers
            .iter()
            .find(|b| b.mem == crate::vta::config::Mem::Wgt);
        weights
            .filter(|b| {
                b.banks * b.bank_bits.div_ceil(72) * b.bank_depth.div_ceil(4096) <= self.uram
            })
            .map_or(0, |b| b.bram36_estimate)
    }
}

/// Whether a geometry is expected to fit an FPGA.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// The FPGA.
    pub budget: Budget,
    /// What the geometry needs, with the mapping that was chosen.
    pub resources: Resources,
    /// What is missing; empty if it fits.
    pub shortages: Vec<Shortage>,
}

impl Fit {
    /// True if nothing is missing, as far as the estimates tell.
    pub fn fits(&self) -> bool {
        self.shortages.is_empty()
    }
}

/// A resource of which there is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shortage {
    /// `bram36`, `dsp` or `lut`.
    pub resource: &'static str,
    /// Estimate of what is needed.
    pub needed: u64,
    /// What there is.
    pub available: u64,
}
