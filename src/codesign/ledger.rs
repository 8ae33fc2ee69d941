//! What was evaluated so far, and what follows from it for every geometry.

use std::collections::HashMap;

use crate::vta::config::Geometry;
use crate::vta::packed_conv::PackedTiles;

use super::geometries::Dimensions;
use super::network::Network;

/// A schedule of a layer on a geometry: what is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Position of the layer in its network.
    pub layer: usize,
    /// The geometry.
    pub geometry: Geometry,
    /// The schedule.
    pub tiles: PackedTiles,
}

/// What tells a program from others: the core, the position of the layer, and the tiles as [`tile_numbers`].
pub(super) type ProgramKey = (Core, usize, [usize; 6]);

impl Point {
    /// The key of its program.
    pub(super) fn program(&self) -> ProgramKey {
        let core = Core::of(&self.geometry);
        (core, self.layer, tile_numbers(&self.tiles))
    }
}

/// Rows, columns, blocks of input and output channels, virtual threads along output channels and rows.
pub const fn tile_numbers(tiles: &PackedTiles) -> [usize; 6] {
    let PackedTiles {
        h,
        w,
        ci,
        co,
        oc_threads,
        h_threads,
    } = *tiles;
    [h, w, ci, co, oc_threads, h_threads]
}

/// What of a geometry is in the program of a schedule: not the sizes of the data buffers, which say only whether there is
/// a program. So one evaluation tells of every geometry with this matrix unit and micro-operation buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Core {
    /// log2 of BATCH.
    pub batch: u32,
    /// log2 of BLOCK_IN.
    pub block_in: u32,
    /// log2 of BLOCK_OUT.
    pub block_out: u32,
    /// log2 of the micro-operation buffer's bytes.
    pub uop: u32,
}

impl Core {
    /// That of a geometry.
    pub fn of(geometry: &Geometry) -> Self {
        let Dimensions {
            batch,
            block_in,
            block_out,
            uop,
            ..
        } = Dimensions::of(geometry);
        Self {
            batch,
            block_in,
            block_out,
            uop,
        }
    }
}

/// A schedule and its cycles; none where it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// The schedule.
    pub tiles: PackedTiles,
    /// Cycles of one launch.
    pub cycles: Option<u64>,
}

/// The best of a layer on a geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BestSchedule {
    /// The schedule.
    pub tiles: PackedTiles,
    /// Cycles of one launch, BATCH images; packing the input anew not included.
    pub cycles: u64,
}

/// Every evaluation, each program once.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    evaluated: HashMap<(Core, usize), Vec<Evaluated>>,
    programs: usize,
}

impl Ledger {
    /// What came of a point, if its program was evaluated.
    pub fn find(&self, point: &Point) -> Option<Option<u64>> {
        let known = self.of(&Core::of(&point.geometry), point.layer);
        let same = known.iter().find(|known| known.tiles == point.tiles);
        same.map(|known| known.cycles)
    }

    /// Takes in what came of a point; a program that is known stays as it is.
    pub fn add(&mut self, point: &Point, cycles: Option<u64>) {
        if self.find(point).is_some() {
            return;
        }
        self.programs += 1;
        self.evaluated
            .entry((Core::of(&point.geometry), point.layer))
            .or_default()
            .push(Evaluated {
                tiles: point.tiles,
                cycles,
            });
    }

    /// Takes in what another search evaluated.
    pub fn extend(&mut self, other: &Self) {
        let mut keys: Vec<_> = other.evaluated.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            let ours = self.evaluated.entry(key).or_default();
            for evaluated in &other.evaluated[&key] {
                if !ours.iter().any(|known| known.tiles == evaluated.tiles) {
                    self.programs += 1;
                    ours.push(*evaluated);
                }
            }
        }
    }

    /// Programs evaluated.
    pub const fn len(&self) -> usize {
        self.programs
    }

    /// Whether nothing was evaluated.
    pub const fn is_empty(&self) -> bool {
        self.programs == 0
    }

    /// What was evaluated of a layer on a core, in the order it was told.
    pub fn of(&self, core: &Core, layer: usize) -> &[Evaluated] {
        self.evaluated
            .get(&(*core, layer))
            .map_or(&[], Vec::as_slice)
    }

    /// Every core of which something was evaluated, in a fixed order.
    pub fn cores(&self) -> Vec<Core> {
        let mut cores: Vec<Core> = self.evaluated.keys().map(|(core, _)| *core).collect();
        cores.sort_unstable();
        cores.dedup();
        cores
    }

    /// The fastest schedule of a layer that a geometry can run, of those evaluated.
    pub fn best(
        &self,
        network: &Network,
        layer: usize,
        geometry: &Geometry,
    ) -> Option<BestSchedule> {
        let conv = network.layers()[layer].convolution.packed(geometry);
        let mut best: Option<BestSchedule> = None;
        for known in self.of(&Core::of(geometry), layer) {
            let Some(cycles) = known.cycles else { continue };
            let better = best.is_none_or(|best| cycles < best.cycles);
            if better && conv.refusal(geometry, &known.tiles).is_none() {
                best = Some(BestSchedule {
                    tiles: known.tiles,
                    cycles,
                });
            }
        }
        best
    }

    /// Cycles of a whole network on a geometry, each layer by its best schedule and as often as it occurs, packing anew
    /// included; `None` while a layer has none.
    pub fn network_cycles(&self, network: &Network, geometry: &Geometry) -> Option<u64> {
        let layers = network.layers().iter().enumerate();
        layers
            .map(|(position, layer)| {
                let best = self.best(network, position, geometry)?;
                let repack = layer.convolution.repack_cycles(geometry);
                Some(u64::from(layer.uses) * (best.cycles + repack))
            })
            .sum()
    }
}
