//! What is believed of schedules on geometries that were not evaluated: boosted trees over ratios that carry from shape
//! to shape and from geometry to geometry.

use std::collections::HashMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::surrogate::{BoostedTrees, BoostedTreesConstants, CostModel, FeatureTable};
use crate::vta::config::Geometry;
use crate::vta::packed_conv::{PackedConv, PackedTiles};

use super::ledger::{Core, Ledger};
use super::network::Network;
use super::roofline::{FEATURES, Roofline};
use super::schedules::schedules_of_any;

/// Constants of the surrogate.
#[derive(Clone, Copy, Debug)]
pub struct BeliefConstants {
    /// Models, each taught by a sample of the evaluations: their spread is the uncertainty.
    pub bags: usize,
    /// Schedules of a layer on a core that are considered: those that the roofline likes best.
    pub considered: usize,
    /// Least uncertainty of a prediction, as a share of the cycles.
    pub floor: f64,
    /// Uncertainty of the roofline before anything was learnt.
    pub ignorance: f64,
    /// Weight of the uncertainty where something is hoped for.
    pub optimism: f64,
    /// Fewest evaluations that models are taught by.
    pub fewest: usize,
    /// The models.
    pub trees: BoostedTreesConstants,
}

impl Default for BeliefConstants {
    fn default() -> Self {
        Self {
            bags: 3,
            considered: 96,
            floor: 0.01,
            ignorance: 0.25,
            optimism: 1.0,
            fewest: 16,
            trees: BoostedTreesConstants {
                trees: 80,
                depth: 4,
                ..BoostedTreesConstants::default()
            },
        }
    }
}

/// A schedule with what is expected of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub tiles: PackedTiles,
    /// Natural logarithm of the cycles.
    pub mean: f64,
    /// Of the same.
    pub deviation: f64,
    /// Whether it was evaluated: the mean is then what came of it, infinite for a failure.
    pub known: bool,
}

impl Expected {
    /// Cycles that are hoped for.
    pub fn hoped(&self, optimism: f64) -> f64 {
        (self.mean - optimism * self.deviation).exp()
    }
}

/// A schedule, the roofline's cycles for it, and its features.
type Listed = (PackedTiles, f64, [f64; FEATURES]);

/// The surrogate.
pub(super) struct Beliefs {
    constants: BeliefConstants,
    /// The geometries of each core that no other of it covers: what fits none of them is no schedule.
    cores: HashMap<Core, Vec<Geometry>>,
    models: Vec<BoostedTrees>,
    /// What was predicted since the last fit.
    said: HashMap<(Core, usize), Vec<Expected>>,
    /// Schedules that are considered, and their features, which never change.
    listed: HashMap<(Core, usize), Vec<Listed>>,
}

impl Beliefs {
    /// Beliefs about these geometries and all that they cover.
    pub fn new(constants: BeliefConstants, largest: &[Geometry]) -> Self {
        let mut cores: HashMap<Core, Vec<Geometry>> = HashMap::new();
        for geometry in largest {
            cores.entry(Core::of(geometry)).or_default().push(*geometry);
        }
        Self {
            constants,
            cores,
            models: Vec::new(),
            said: HashMap::new(),
            listed: HashMap::new(),
        }
    }

    /// Learns from everything that was evaluated: the logarithm of how much longer than the roofline it takes.
    pub fn fit(
        &mut self,
        network: &Network,
        ledger: &Ledger,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), String> {
        self.said.clear();
        let mut rows = Vec::new();
        let mut targets = Vec::new();
        for core in ledger.cores() {
            let Some(geometry) = self.cores.get(&core).map(|all| all[0]) else {
                continue;
            };
            for (position, layer) in network.layers().iter().enumerate() {
                let conv = layer.convolution.packed(&geometry);
                for known in ledger.of(&core, position) {
                    let Some(cycles) = known.cycles else { continue };
                    let roofline = Roofline::of(&conv, &geometry, &known.tiles);
                    rows.push(roofline.features(&conv, &geometry, &known.tiles));
                    targets.push((cycles as f64 / roofline.cycles()).ln());
                }
            }
        }
        self.models.clear();
        if rows.len() < self.constants.fewest {
            return Ok(());
        }
        for _ in 0..self.constants.bags {
            // A bootstrap sample would leave out a third of what is dear: each model goes without a tenth.
            let kept: Vec<usize> = (0..rows.len())
                .filter(|_| rng.random::<f64>() >= 0.1)
                .collect();
            let taught: Vec<&[f64; FEATURES]> = kept.iter().map(|&row| &rows[row]).collect();
            let told: Vec<f64> = kept.iter().map(|&row| targets[row]).collect();
            let mut model = BoostedTrees::new(self.constants.trees);
            model.fit(&table(&taught), &told)?;
            self.models.push(model);
        }
        Ok(())
    }

    /// The schedules of a layer on a core that are worth considering, whatever the sizes of the data buffers.
    pub fn consider(
        &mut self,
        network: &Network,
        ledger: &Ledger,
        core: &Core,
        layer: usize,
    ) -> &[Expected] {
        let key = (*core, layer);
        if !self.said.contains_key(&key) {
            let said = self.predict(network, ledger, core, layer);
            self.said.insert(key, said);
        }
        &self.said[&key]
    }

    fn predict(
        &mut self,
        network: &Network,
        ledger: &Ledger,
        core: &Core,
        layer: usize,
    ) -> Vec<Expected> {
        let Some(geometries) = self.cores.get(core) else {
            return Vec::new();
        };
        let conv = network.layers()[layer].convolution.packed(&geometries[0]);
        let constants = self.constants;
        let listed = self
            .listed
            .entry((*core, layer))
            .or_insert_with(|| list(&conv, geometries, constants.considered));
        let features: Vec<&[f64; FEATURES]> = listed.iter().map(|(_, _, row)| row).collect();
        let table = table(&features);
        let said: Vec<Vec<f64>> = self.models.iter().map(|m| m.predict(&table)).collect();
        let mut expected: Vec<Expected> = listed
            .iter()
            .enumerate()
            .map(|(i, (tiles, roofline, _))| {
                let (mean, deviation) = if said.is_empty() {
                    (0.0, constants.ignorance)
                } else {
                    let n = said.len() as f64;
                    let mean = said.iter().map(|s| s[i]).sum::<f64>() / n;
                    let squares = said.iter().map(|s| (s[i] - mean).powi(2)).sum::<f64>();
                    (mean, (squares / n).sqrt().max(constants.floor))
                };
                Expected {
                    tiles: *tiles,
                    mean: roofline.ln() + mean,
                    deviation,
                    known: false,
                }
            })
            .collect();
        for known in ledger.of(core, layer) {
            let told = Expected {
                tiles: known.tiles,
                mean: known.cycles.map_or(f64::INFINITY, |c| (c as f64).ln()),
                deviation: 0.0,
                known: true,
            };
            match expected.iter_mut().find(|e| e.tiles == known.tiles) {
                Some(expected) => *expected = told,
                None => expected.push(told),
            }
        }
        expected
    }

    /// What is expected of one schedule, which need not be among those considered.
    pub fn of(
        &mut self,
        network: &Network,
        ledger: &Ledger,
        geometry: &Geometry,
        layer: usize,
        tiles: &PackedTiles,
    ) -> Expected {
        let core = Core::of(geometry);
        let conv = network.layers()[layer].convolution.packed(geometry);
        let constants = self.constants;
        let considered = self.consider(network, ledger, &core, layer);
        if let Some(found) = considered.iter().find(|e| e.tiles == *tiles) {
            return *found;
        }
        let roofline = Roofline::of(&conv, geometry, tiles);
        let row = roofline.features(&conv, geometry, tiles);
        let table = table(&[&row]);
        let said: Vec<f64> = self.models.iter().map(|m| m.predict(&table)[0]).collect();
        let mean = said.iter().sum::<f64>() / said.len().max(1) as f64;
        let squares: f64 = said.iter().map(|s| (s - mean).powi(2)).sum();
        let expected = Expected {
            tiles: *tiles,
            mean: roofline.cycles().ln() + mean,
            deviation: if said.is_empty() {
                constants.ignorance
            } else {
                (squares / said.len() as f64).sqrt().max(constants.floor)
            },
            known: false,
        };
        if let Some(said) = self.said.get_mut(&(core, layer)) {
            said.push(expected);
        }
        expected
    }
}

/// The schedules that the roofline likes best, with its cycles and their features.
fn list(conv: &PackedConv, geometries: &[Geometry], considered: usize) -> Vec<Listed> {
    let mut all: Vec<Listed> = schedules_of_any(conv, geometries)
        .into_iter()
        .map(|tiles| {
            let geometry = &geometries[0];
            let roofline = Roofline::of(conv, geometry, &tiles);
            let features = roofline.features(conv, geometry, &tiles);
            (tiles, roofline.cycles(), features)
        })
        .collect();
    // Small tiles fit where large ones do not: the best for every size of the buffers must be among them.
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut kept: Vec<Listed> = Vec::new();
    let mut classes: HashMap<[u32; 3], usize> = HashMap::new();
    for one in all {
        let seen = classes.entry(class(conv, &one.0)).or_default();
        if *seen < PER_CLASS || kept.len() < considered {
            *seen += 1;
            kept.push(one);
        }
    }
    kept
}

/// Schedules that are considered of each class of needs.
const PER_CLASS: usize = 2;

/// log2 of the elements that a schedule needs of each buffer.
fn class(conv: &PackedConv, tiles: &PackedTiles) -> [u32; 3] {
    let needs = conv.elements(tiles);
    needs.map(|elements| elements.next_power_of_two().trailing_zeros())
}

fn table(rows: &[&[f64; FEATURES]]) -> FeatureTable {
    FeatureTable {
        rows: rows.len(),
        columns: FEATURES,
        values: (0..FEATURES)
            .flat_map(|column| rows.iter().map(move |row| row[column]))
            .collect(),
    }
}
