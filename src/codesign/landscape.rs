//! What a geometry is expected to be worth for the whole network, and where agents stand in that.

use crate::agents::{Landscape, Standing};
use crate::task::Digits;
use crate::vta::config::Geometry;

use super::beliefs::{Beliefs, Expected};
use super::ledger::{Core, Ledger};
use super::scene::LayerScene;
use super::search::Problem;

/// A score that is this share better is one unit of a reward.
const UNIT: f64 = 0.05;
/// A reward reaches so many units down: what is far off is as bad as what is farther off.
const LOWEST: f64 = -8.0;

/// Beliefs and evaluations, looked at together.
pub(super) struct Expectation<'a> {
    pub problem: &'a Problem,
    pub ledger: &'a Ledger,
    pub beliefs: &'a mut Beliefs,
}

impl<'a> Expectation<'a> {
    /// What is expected of the schedules of a layer on a core that are worth considering.
    pub fn considered(&mut self, core: &Core, layer: usize) -> &[Expected] {
        let network = &self.problem.network;
        self.beliefs.consider(network, self.ledger, core, layer)
    }

    /// Schedules of a layer that a geometry can run, the fastest that is expected first.
    pub fn schedules(&mut self, layer: usize, geometry: &Geometry) -> Vec<Expected> {
        let network = &self.problem.network;
        let conv = network.layers()[layer].convolution.packed(geometry);
        let considered = self.considered(&Core::of(geometry), layer);
        let mut fitting: Vec<Expected> = considered
            .iter()
            .filter(|e| conv.refusal(geometry, &e.tiles).is_none())
            .copied()
            .collect();
        fitting.sort_by(|a, b| a.mean.total_cmp(&b.mean));
        fitting
    }

    /// Cycles that are hoped for of a layer on a geometry, each launch; `None` where no schedule is known to exist.
    fn layer(&mut self, layer: usize, geometry: &Geometry, optimism: f64) -> Option<f64> {
        let network = &self.problem.network;
        let of_layer = &network.layers()[layer];
        let conv = of_layer.convolution.packed(geometry);
        let considered = self.considered(&Core::of(geometry), layer);
        let mut best = f64::INFINITY;
        for expected in considered {
            let hoped = expected.hoped(optimism);
            if hoped < best && conv.refusal(geometry, &expected.tiles).is_none() {
                best = hoped;
            }
        }
        let repack = of_layer.convolution.repack_cycles(geometry) as f64;
        best.is_finite().then_some(best + repack)
    }

    /// Cycles that are hoped for of all layers.
    fn cycles(&mut self, geometry: &Geometry, optimism: f64) -> Option<f64> {
        let mut sum = 0.0;
        for layer in 0..self.problem.network.layers().len() {
            let uses = f64::from(self.problem.network.layers()[layer].uses);
            sum += uses * self.layer(layer, geometry, optimism)?;
        }
        Some(sum)
    }

    /// The score that is hoped for of a geometry, each layer by its best schedule.
    pub fn score(&mut self, geometry: &Geometry, optimism: f64) -> Option<f64> {
        let cycles = self.cycles(geometry, optimism)?;
        Some(self.problem.score(cycles, geometry))
    }

    /// Where agents stand that move one layer's schedule together with the geometry: rewards are those of the whole
    /// network, in units of how much better than `reference` it is.
    pub fn landscape<'s>(
        &'s mut self,
        scene: &'s LayerScene,
        layer: usize,
        reference: f64,
    ) -> NetworkLandscape<'s, 'a> {
        NetworkLandscape {
            expectation: self,
            scene,
            layer,
            reference,
        }
    }
}

/// The network's expected score as a landscape over one layer's configurations.
pub(super) struct NetworkLandscape<'s, 'a> {
    expectation: &'s mut Expectation<'a>,
    scene: &'s LayerScene,
    layer: usize,
    reference: f64,
}

impl NetworkLandscape<'_, '_> {
    fn standing(&mut self, digits: &[u32]) -> Option<Standing> {
        let (geometry, tiles) = self.scene.decode(digits)?;
        let Expectation {
            problem,
            ledger,
            beliefs,
        } = &mut *self.expectation;
        let expected = beliefs.of(&problem.network, ledger, &geometry, self.layer, &tiles);
        if !expected.mean.is_finite() {
            return None;
        }
        let uses = f64::from(problem.network.layers()[self.layer].uses);
        let best = self.expectation.layer(self.layer, &geometry, 0.0)?;
        let whole = self.expectation.cycles(&geometry, 0.0)?;
        // The other layers by their best, this one by the schedule that the agents stand on.
        let repack = self.expectation.problem.network.layers()[self.layer]
            .convolution
            .repack_cycles(&geometry) as f64;
        let cycles = whole + uses * (expected.mean.exp() + repack - best);
        let problem = self.expectation.problem;
        let pressure = problem.geometries.limits().pressure(&geometry);
        let score = problem.score(cycles, &geometry) * (1.0 + pressure);
        Some(Standing {
            score: ((self.reference / score).ln() / UNIT).max(LOWEST),
            uncertainty: expected.deviation,
            validity: 1.0,
        })
    }
}

impl Landscape for NetworkLandscape<'_, '_> {
    fn look(&mut self, configs: &[Digits]) -> candle_core::Result<Vec<Standing>> {
        let nowhere = Standing {
            score: LOWEST,
            uncertainty: 0.0,
            validity: 0.0,
        };
        Ok(configs
            .iter()
            .map(|digits| self.standing(digits).unwrap_or(nowhere))
            .collect())
    }
}
