//! A layer's space with the cost of every configuration in it: what strategies are compared on where nobody could measure all.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::record::ErrorNo;
use crate::task::{ConfigIndex, ConfigSpace, SpaceError};
use crate::vta::config::Geometry;

use super::convolution::Convolution;
use super::draft::DraftEvaluator;
use super::evaluator::Evaluator;
use super::geometries::GeometrySpace;
use super::ledger::{Core, Point};
use super::limits::{Cost, Limits};
use super::network::Network;
use super::objective::Objective;
use super::roofline::lower_bound;
use super::scene::LayerScene;
use super::schedules::schedules_of_any;

/// A schedule that takes so many times what the default geometry's multipliers need counts as one that ran into its time limit.
const PATIENCE: u64 = 16;

/// A convolution, and what an accelerator for it may have.
///
/// The cost of a configuration is that of `--objective latency-per-area`: seconds by the draft model, times the area in units of the
/// default geometry's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComputedLayer {
    /// The convolution.
    pub convolution: Convolution,
    /// Multipliers, at most.
    pub max_macs: u64,
    /// KiB of all buffers, at most.
    pub max_sram_kib: u64,
}

/// Why a layer's space cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum ComputedLayerError {
    /// A number is 0, or the kernel is larger than the padded input.
    #[error("the convolution has no output")]
    NoOutput,
    /// No geometry keeps to the limits.
    #[error("no geometry has at most {macs} multipliers and {sram_kib} KiB of buffers")]
    NoGeometry {
        /// Multipliers, at most.
        macs: u64,
        /// KiB of all buffers, at most.
        sram_kib: u64,
    },
    /// The space cannot be made.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The draft model cannot say how long a program takes.
    #[error("{0}")]
    Timing(String),
}

/// Every configuration that is valid, with its cost or how it fails.
pub type Costs = Vec<(ConfigIndex, Result<f64, ErrorNo>)>;

impl ComputedLayer {
    /// The space, and the cost of all that is valid in it. Takes a second or two.
    ///
    /// # Errors
    /// When there is nothing to choose from, or the draft model fails.
    pub fn compute(&self) -> Result<(Arc<ConfigSpace>, Costs), ComputedLayerError> {
        if !self.convolution.has_output() {
            return Err(ComputedLayerError::NoOutput);
        }
        let geometries = self.geometries();
        if geometries.all().is_empty() {
            return Err(ComputedLayerError::NoGeometry {
                macs: self.max_macs,
                sram_kib: self.max_sram_kib,
            });
        }
        let scene = Arc::new(LayerScene::new(self.convolution, &geometries));
        let space = Arc::clone(scene.environment()?.space());
        let mut cores: BTreeMap<Core, Vec<Geometry>> = BTreeMap::new();
        for geometry in geometries.all() {
            cores.entry(Core::of(geometry)).or_default().push(*geometry);
        }
        let mut programs = Programs::new(self.convolution);
        let mut costs = Vec::new();
        for of_core in cores.values() {
            let conv = self.convolution.packed(&of_core[0]);
            for tiles in schedules_of_any(&conv, of_core) {
                let mut fitting = of_core
                    .iter()
                    .filter(|geometry| conv.refusal(geometry, &tiles).is_none())
                    .peekable();
                let Some(&&first) = fitting.peek() else {
                    continue;
                };
                // The program is the same for all of them: sizes of data buffers say only whether there is one.
                let cycles = programs.cycles(&Point {
                    layer: 0,
                    geometry: first,
                    tiles,
                })?;
                costs.extend(fitting.filter_map(|geometry| {
                    let cost = cycles.map(|cycles| cost(cycles, geometry));
                    Some((space.index(&scene.encode(geometry, &tiles)?), cost))
                }));
            }
        }
        Ok((space, costs))
    }

    /// Every geometry with equal blocks that keeps to the limits, for one image at a time.
    fn geometries(&self) -> GeometrySpace {
        let limits = Limits {
            macs: Some(self.max_macs),
            sram_bits: Some(self.max_sram_kib.saturating_mul(8 * 1024)),
            board: None,
            log_batch: Objective::LatencyPerArea.log_batch(),
            unequal_blocks: false,
        };
        GeometrySpace::new(Geometry::default(), limits)
    }
}

fn cost(cycles: u64, geometry: &Geometry) -> f64 {
    let seconds = cycles as f64 / (f64::from(geometry.clock_mhz()) * 1e6);
    let reference = Cost::of(&Geometry::default());
    Objective::LatencyPerArea.score(seconds, geometry, &reference)
}

/// How long the programs of a convolution take.
struct Programs {
    network: Network,
    draft: DraftEvaluator,
    most: u64,
}

impl Programs {
    fn new(convolution: Convolution) -> Self {
        let mut network = Network::default();
        network.add(convolution, 1);
        let busy = network.macs() / Cost::of(&Geometry::default()).macs;
        Self {
            most: PATIENCE * busy.max(1),
            network,
            draft: DraftEvaluator::default(),
        }
    }

    fn cycles(&mut self, point: &Point) -> Result<Result<u64, ErrorNo>, ComputedLayerError> {
        let conv = self.network.packed(point);
        // Not drafted: the slowest schedules have the longest programs.
        if lower_bound(&conv, &point.geometry, &point.tiles) > self.most {
            return Ok(Err(ErrorNo::RunTimeout));
        }
        let cycles = self.draft.cycles(&self.network, point);
        let cycles = cycles.map_err(ComputedLayerError::Timing)?;
        Ok(cycles.ok_or(ErrorNo::RuntimeDevice))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: ComputedLayer = ComputedLayer {
        convolution: Convolution {
            input_channels: 8,
            output_channels: 8,
            height: 4,
            width: 4,
            kernel_height: 3,
            kernel_width: 3,
            stride: 1,
            padding: 1,
        },
        max_macs: 64,
        max_sram_kib: 64,
    };

    #[test]
    fn every_valid_configuration_costs_what_its_own_program_takes_on_its_own_geometry() {
        let (space, costs) = SMALL.compute().unwrap();
        let scene = LayerScene::new(SMALL.convolution, &SMALL.geometries());
        let mut network = Network::default();
        network.add(SMALL.convolution, 1);
        let mut draft = DraftEvaluator::default();
        let (mut ran, mut slow) = (0, 0);
        for (index, said) in &costs {
            let (geometry, tiles) = scene.decode(&space.digits(*index).unwrap()).unwrap();
            let point = Point {
                layer: 0,
                geometry,
                tiles,
            };
            match said {
                Ok(said) => {
                    let cycles = draft.cycles(&network, &point).unwrap().unwrap();
                    assert_eq!(*said, cost(cycles, &geometry), "{point:?}");
                    ran += 1;
                }
                Err(error) => {
                    assert_eq!(*error, ErrorNo::RunTimeout, "{point:?}");
                    let cycles = draft.cycles(&network, &point).unwrap().unwrap();
                    assert!(cycles > PATIENCE * network.macs() / 256, "{point:?}");
                    slow += 1;
                }
            }
        }
        assert!(ran > 100 && slow > 100, "{ran} ran, {slow} did not");
        let all: Vec<_> = (0..space.range_length()).map(ConfigIndex).collect();
        let valid = space.valid(&all).unwrap();
        let valid: Vec<_> = all.into_iter().zip(valid).filter(|(_, v)| *v).collect();
        let mut listed: Vec<_> = costs.iter().map(|(index, _)| *index).collect();
        listed.sort_unstable();
        assert_eq!(listed, valid.iter().map(|(i, _)| *i).collect::<Vec<_>>());
    }

    #[test]
    fn a_layer_without_an_output_and_limits_without_a_geometry_are_refused() {
        let mut layer = SMALL;
        layer.convolution.kernel_height = 7;
        assert!(matches!(layer.compute(), Err(ComputedLayerError::NoOutput)));
        let mut layer = SMALL;
        layer.convolution.stride = 0;
        assert!(matches!(layer.compute(), Err(ComputedLayerError::NoOutput)));
        let mut layer = SMALL;
        layer.convolution.padding = usize::MAX;
        assert!(matches!(layer.compute(), Err(ComputedLayerError::NoOutput)));
        let mut layer = SMALL;
        layer.max_macs = 0;
        assert!(matches!(
            layer.compute(),
            Err(ComputedLayerError::NoGeometry { macs: 0, .. })
        ));
    }
}
