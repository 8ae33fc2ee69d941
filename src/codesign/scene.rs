//! A layer with its accelerator as an environment of the agents: the hardware agent moves the geometry, the others see it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use crate::agents::{Environment, Ownership, Scene, ShapeFeatures};
use crate::task::{
    CONV_KNOBS, ConfigIndex, ConfigSpace, Digits, Entity, Knob, KnobKind, SpaceError, TargetKind,
    TaskContext, ValidityFilter,
};
use crate::vta::config::Geometry;
use crate::vta::packed_conv::{PackedConv, PackedTiles, Refusal};

use super::convolution::Convolution;
use super::geometries::{DIMENSIONS, Dimensions, GeometrySpace};
use super::geometry_table::GeometryTable;
use super::limits::{Cost, Limits};
use super::schedules::divisors;

/// Number of knobs of the geometry.
const GEOMETRY: usize = DIMENSIONS.len();
/// A schedule that does not fit after so many cuts is given up.
const MOST_CUTS: usize = 32;

/// One layer and every geometry within limits.
///
/// Knobs are those of the geometry ([`DIMENSIONS`]), then the schedule's ([`CONV_KNOBS`]). Tiles of channels are counted in
/// channels, not in blocks, so that they mean the same on every geometry.
#[derive(Debug)]
pub(super) struct LayerScene {
    convolution: Convolution,
    limits: Limits,
    largest: Cost,
    /// Values of each knob, ascending.
    values: Vec<Vec<usize>>,
    /// Geometries within limits.
    geometries: GeometryTable,
}

impl LayerScene {
    pub fn new(convolution: Convolution, geometries: &GeometrySpace) -> Self {
        let mut dimensions: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); GEOMETRY];
        let (mut inputs, mut outputs) = (BTreeSet::new(), BTreeSet::new());
        let mut largest = Cost::of(geometries.base());
        for geometry in geometries.all() {
            let values = Dimensions::of(geometry).values();
            for (seen, value) in dimensions.iter_mut().zip(values) {
                seen.insert(value as usize);
            }
            let cost = Cost::of(geometry);
            largest.macs = largest.macs.max(cost.macs);
            largest.sram_bits = largest.sram_bits.max(cost.sram_bits);
            let conv = convolution.packed(geometry);
            let channels = |block: usize| move |blocks: usize| blocks * block;
            inputs.extend(
                divisors(conv.input_blocks)
                    .into_iter()
                    .map(channels(geometry.block_in())),
            );
            outputs.extend(
                divisors(conv.output_blocks)
                    .into_iter()
                    .map(channels(geometry.block_out())),
            );
        }
        let mut values: Vec<Vec<usize>> = dimensions
            .into_iter()
            .map(|seen| seen.into_iter().collect())
            .collect();
        values.extend([
            divisors(convolution.out_height()),
            divisors(convolution.out_width()),
            inputs.into_iter().collect(),
            outputs.into_iter().collect(),
            vec![1, 2],
            vec![1, 2],
        ]);
        let of_dimension = std::array::from_fn(|knob| &values[knob][..]);
        Self {
            geometries: GeometryTable::new(geometries.all().to_vec(), of_dimension),
            convolution,
            limits: geometries.limits().clone(),
            largest,
            values,
        }
    }

    /// The environment in which agents walk.
    pub fn environment(self: &Arc<Self>) -> Result<Environment, SpaceError> {
        let names = DIMENSIONS.iter().chain(&CONV_KNOBS);
        let knobs = names.zip(&self.values).filter_map(|(name, values)| {
            let entities = values.iter().map(|v| Entity::Other(json!(v))).collect();
            // There is a geometry, so every knob has a value.
            Knob::new(*name, KnobKind::Other, entities).ok()
        });
        let mask: Arc<dyn ValidityFilter> = Arc::new(Mask(Arc::clone(self)));
        let space = ConfigSpace::new(knobs.collect())?.with_filter(mask);
        let scene: Arc<dyn Scene> = Arc::clone(self) as _;
        Ok(Environment::with_scene(
            Arc::new(space),
            &TaskContext::bare(TargetKind::Vta),
            Ownership::ByRole,
            scene,
        ))
    }

    /// The geometry and the schedule of a configuration; `None` where rules, limits or the packed convolution refuse it.
    pub fn decode(&self, digits: &[u32]) -> Option<(Geometry, PackedTiles)> {
        let geometry = self.geometry(digits)?;
        let conv = self.convolution.packed(&geometry);
        let tiles = self.tiles(digits, &geometry, &conv)?;
        conv.refusal(&geometry, &tiles)
            .is_none()
            .then_some((geometry, tiles))
    }

    /// The configuration of a schedule on a geometry; `None` where one of its values was not listed.
    pub fn encode(&self, geometry: &Geometry, tiles: &PackedTiles) -> Option<Digits> {
        let dimensions = Dimensions::of(geometry).values().map(|v| v as usize);
        let schedule = [
            tiles.h,
            tiles.w,
            tiles.ci * geometry.block_in(),
            tiles.co * geometry.block_out(),
            tiles.oc_threads,
            tiles.h_threads,
        ];
        let wanted = dimensions.into_iter().chain(schedule);
        wanted
            .zip(&self.values)
            .map(|(value, values)| Some(values.binary_search(&value).ok()? as u32))
            .collect()
    }

    fn value(&self, digits: &[u32], knob: usize) -> usize {
        self.values[knob][digits[knob] as usize]
    }

    /// The geometry within limits that the first digits stand for.
    fn geometry(&self, digits: &[u32]) -> Option<Geometry> {
        let dimensions: &[u32; GEOMETRY] = digits.first_chunk()?;
        self.geometries.get(dimensions).copied()
    }

    fn tiles(&self, digits: &[u32], geometry: &Geometry, conv: &PackedConv) -> Option<PackedTiles> {
        let [h, w, ci, co, oc_threads, h_threads] =
            std::array::from_fn(|i| self.value(digits, GEOMETRY + i));
        let blocks = |channels: usize, block: usize, all: usize| {
            let whole = channels.is_multiple_of(block) && all.is_multiple_of(channels / block);
            whole.then_some(channels / block)
        };
        Some(PackedTiles {
            h,
            w,
            ci: blocks(ci, geometry.block_in(), conv.input_blocks)?,
            co: blocks(co, geometry.block_out(), conv.output_blocks)?,
            oc_threads,
            h_threads,
        })
    }

    /// Dimensions that keep to the limits: those that were made larger stay if they can, and others give way.
    fn within_limits(&self, from: &[u32], digits: &mut [u32]) -> Option<Geometry> {
        let grown: Vec<bool> = (0..GEOMETRY).map(|k| digits[k] > from[k]).collect();
        if !self.limits.unequal_blocks {
            let block = if digits[2] == from[2] {
                digits[1]
            } else {
                digits[2]
            };
            let value = self.values[1][block.min(self.values[1].len() as u32 - 1) as usize];
            digits[1] = self.values[1].binary_search(&value).ok()? as u32;
            digits[2] = self.values[2].binary_search(&value).ok()? as u32;
        }
        for _ in 0..MOST_CUTS {
            if let Some(geometry) = self.geometry(digits) {
                return Some(geometry);
            }
            let macs: usize = (0..3).map(|k| self.value(digits, k)).sum();
            let over = self.limits.macs.is_some_and(|most| 1 << macs > most);
            // Multipliers give way to multipliers, buffers to buffers.
            let (first, last) = if over { (0, 3) } else { (3, GEOMETRY) };
            let smaller = |k: &usize| digits[*k] > 0;
            let cut = (first..last)
                .filter(smaller)
                .max_by_key(|&k| (!grown[k], self.value(digits, k)))?;
            digits[cut] -= 1;
            if !self.limits.unequal_blocks && (cut == 1 || cut == 2) {
                let other = 3 - cut;
                digits[other] = digits[other].saturating_sub(1);
            }
        }
        None
    }

    /// A schedule near the one that is asked for, which the geometry can run.
    fn near(&self, geometry: &Geometry, digits: &[u32]) -> Option<PackedTiles> {
        let conv = self.convolution.packed(geometry);
        let [h, w, ci, co, oc_threads, h_threads] =
            std::array::from_fn(|i| self.value(digits, GEOMETRY + i));
        let nearest = |channels: usize, block: usize, blocks: usize| {
            let fits = divisors(blocks);
            let distance = |f: &usize| ((f * block) as f64 / channels as f64).ln().abs();
            fits.into_iter()
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        };
        let mut tiles = PackedTiles {
            h,
            w,
            ci: nearest(ci, geometry.block_in(), conv.input_blocks)?,
            co: nearest(co, geometry.block_out(), conv.output_blocks)?,
            oc_threads,
            h_threads,
        };
        for _ in 0..MOST_CUTS {
            match conv.refusal(geometry, &tiles) {
                None => return Some(tiles),
                Some(Refusal::Threads | Refusal::BothThreads) => tiles.h_threads = 1,
                Some(Refusal::PaddedBlocks | Refusal::LoadPattern) => tiles.ci = 1,
                Some(Refusal::StorePattern) => tiles.co = 1,
                Some(Refusal::Capacity(_)) => shrink(&mut tiles)?,
                Some(Refusal::Conflict) => tiles.w = 1,
                Some(Refusal::PaddedLine | Refusal::Condition | Refusal::Compact) => return None,
            }
            if !(conv.output_blocks / tiles.co).is_multiple_of(tiles.oc_threads) {
                tiles.oc_threads = 1;
            }
        }
        None
    }
}

/// Makes the largest tile smaller by its smallest factor.
fn shrink(tiles: &mut PackedTiles) -> Option<()> {
    let sizes = [&mut tiles.ci, &mut tiles.co, &mut tiles.h, &mut tiles.w];
    let largest = sizes.into_iter().max_by_key(|size| **size)?;
    let factor = (2..=*largest).find(|f| largest.is_multiple_of(*f))?;
    *largest /= factor;
    Some(())
}

impl Scene for LayerScene {
    fn shape(&self, digits: &[u32]) -> ShapeFeatures {
        let convolution = &self.convolution;
        let sizes = [
            convolution.input_channels,
            convolution.output_channels,
            convolution.height,
            convolution.width,
            convolution.kernel_height,
            convolution.stride,
            convolution.padding,
        ];
        let sizes = sizes.map(|n| (n as f64 + 1.0).log2() / 16.0);
        // What every agent sees of the accelerator, and how much of the budget it takes.
        let dimensions: [usize; GEOMETRY] = std::array::from_fn(|k| self.value(digits, k));
        let (matrix, buffers) = dimensions.split_at(3);
        let share = |bits: usize, most: u64| 2f64.powi(bits as i32) / most as f64;
        let macs = share(matrix.iter().sum(), self.largest.macs);
        let bytes: f64 = buffers.iter().map(|&b| 2f64.powi(b as i32)).sum();
        let sram = 8.0 * bytes / self.largest.sram_bits as f64;
        let dimensions = dimensions.map(|d| d as f64 / 20.0);
        ShapeFeatures::from_numbers(sizes.into_iter().chain(dimensions).chain([macs, sram]))
    }

    fn repaired(&self, from: &[u32], mut moved: Digits) -> Digits {
        let repaired = self
            .within_limits(from, &mut moved)
            .and_then(|geometry| Some((geometry, self.near(&geometry, &moved)?)))
            .and_then(|(geometry, tiles)| self.encode(&geometry, &tiles));
        repaired.unwrap_or_else(|| from.to_vec())
    }
}

/// What can be computed of validity: rules of the hardware, limits, and the packed convolution's.
struct Mask(Arc<LayerScene>);

impl ValidityFilter for Mask {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        let sizes = || self.0.values.iter().map(Vec::len);
        let geometries = &self.0.geometries;
        // The dimensions are the least significant digits. Most draws end here.
        let is_geometry =
            |index: &ConfigIndex| geometries.contains(index.0 % geometries.combinations());
        let valid = |index: &ConfigIndex| {
            is_geometry(index) && self.0.decode(&index.digits(sizes())).is_some()
        };
        Ok(indices.iter().map(valid).collect())
    }

    fn is_cheap(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::convolution::tests::SECOND;
    use super::super::schedules::schedules;
    use super::*;
    use crate::agents::{Move, Role};

    fn scene() -> (Arc<LayerScene>, GeometrySpace) {
        let mut limits = Limits::of(&Geometry::default());
        limits.log_batch = 2;
        limits.unequal_blocks = true;
        let geometries = GeometrySpace::new(Geometry::default(), limits);
        (Arc::new(LayerScene::new(SECOND, &geometries)), geometries)
    }

    #[test]
    fn the_hardware_agent_owns_the_geometry_and_everybody_sees_it() {
        let (scene, _) = scene();
        let environment = scene.environment().unwrap();
        let knobs = environment.space().knobs();
        let owned = |role| {
            let axes = environment.axes_of(role).iter();
            axes.map(|&axis| knobs[environment.axes()[axis].knob.0].name())
                .collect::<Vec<_>>()
        };
        let hardware = owned(Role::Hardware);
        assert!(
            DIMENSIONS.iter().all(|name| hardware.contains(name)),
            "{hardware:?}"
        );
        assert_eq!(owned(Role::Mapping), ["tile_h", "tile_w"]);
        let tiles = schedules(&SECOND.packed(&Geometry::default()), &Geometry::default())[0];
        let here = scene.encode(&Geometry::default(), &tiles).unwrap();
        let batched: Geometry = "4x8_i8w8a32_15_15_18_17".parse().unwrap();
        let tiles = schedules(&SECOND.packed(&batched), &batched)[0];
        let there = scene.encode(&batched, &tiles).unwrap();
        assert_ne!(scene.shape(&here), scene.shape(&there));
    }

    #[test]
    fn a_schedule_on_a_geometry_and_its_configuration_lead_to_each_other() {
        let (scene, geometries) = scene();
        for geometry in geometries.largest().iter().step_by(7) {
            for tiles in schedules(&SECOND.packed(geometry), geometry)
                .iter()
                .step_by(31)
            {
                let digits = scene.encode(geometry, tiles).unwrap();
                assert_eq!(scene.decode(&digits), Some((*geometry, *tiles)));
            }
        }
    }

    #[test]
    fn moves_beyond_the_limits_lead_to_a_valid_neighbour() {
        let (scene, geometries) = scene();
        let environment = scene.environment().unwrap();
        let default = Geometry::default();
        let mut moved = 0;
        for tiles in schedules(&SECOND.packed(&default), &default)
            .iter()
            .step_by(17)
        {
            let start = scene.encode(&default, tiles).unwrap();
            for &axis in environment.axes_of(Role::Hardware) {
                for step in [Move::Down, Move::Up] {
                    let walks = vec![start.clone()];
                    let next = environment.step(&walks, &[vec![(axis, step)]]).unwrap();
                    let (geometry, _) = scene.decode(&next[0]).unwrap();
                    assert!(geometries.limits().allow(&geometry));
                    moved += usize::from(geometry != default);
                }
            }
        }
        assert!(moved > 50, "{moved}");
    }
}
