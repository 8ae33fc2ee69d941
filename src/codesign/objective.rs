//! What the best accelerator is.

use std::fmt;

use crate::vta::config::Geometry;

use super::limits::Cost;

/// What is to be small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Objective {
    /// Time of one image, computed alone.
    #[default]
    Latency,
    /// Time for an image where BATCH images are computed at once.
    Throughput,
    /// Time of one image, times the area.
    LatencyPerArea,
}

impl Objective {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Throughput => "throughput",
            Self::LatencyPerArea => "latency-per-area",
        }
    }

    /// log2 of the most images that an accelerator may compute at once. One image does not fill more than one row.
    pub const fn log_batch(self) -> u32 {
        match self {
            Self::Latency | Self::LatencyPerArea => 0,
            Self::Throughput => 6,
        }
    }

    /// The number that is to be small, from the cycles of one launch of every layer. The clock is the same for all.
    ///
    /// `reference` is the geometry that has area 1.
    pub fn score(self, cycles: f64, geometry: &Geometry, reference: &Cost) -> f64 {
        match self {
            Self::Latency => cycles,
            Self::Throughput => cycles / geometry.batch() as f64,
            Self::LatencyPerArea => cycles * Cost::of(geometry).area(reference),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What may change with what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// The geometry is given; schedules are chosen.
    Fixed,
    /// One geometry for all layers.
    #[default]
    PerNetwork,
    /// A geometry for each layer: no accelerator, an upper bound.
    PerLayer,
}

impl Mode {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::PerNetwork => "per-network",
            Self::PerLayer => "per-layer",
        }
    }

    /// The same with what is to be known of it.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Fixed => "fixed: the geometry is given, only schedules are chosen",
            Self::PerNetwork => "per-network: one geometry for all layers",
            Self::PerLayer => {
                "per-layer: a geometry for each layer, which no accelerator has; an upper bound"
            }
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
