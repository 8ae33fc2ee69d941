//! A convolution's task on a geometry: its tiles, its config space and its name in a log, without asking TVM.

use std::sync::Arc;

use serde_json::json;

use crate::task::{
    ConfigEntity, ConfigSpace, Entity, Knob, KnobKind, PackedMask, SpaceError, Task, workload_of,
};
use crate::vta::config::Geometry;
use crate::vta::packed_conv::{PackedConv, PackedTiles};

use super::convolution::Convolution;
use super::network::Layer;

/// The divisors of a number, ascending: the factors of AutoTVM's splits.
pub(super) fn divisors(n: usize) -> Vec<usize> {
    (1..=n).filter(|&f| n.is_multiple_of(f)).collect()
}

/// Every schedule of a convolution that the rules allow on a geometry.
pub fn schedules(conv: &PackedConv, geometry: &Geometry) -> Vec<PackedTiles> {
    schedules_of_any(conv, std::slice::from_ref(geometry))
}

/// Every schedule that the rules allow on at least one of these geometries, which have the same blocks.
pub fn schedules_of_any(conv: &PackedConv, geometries: &[Geometry]) -> Vec<PackedTiles> {
    let fits = |tiles: &PackedTiles| {
        let mut any = geometries.iter();
        any.any(|geometry| conv.refusal(geometry, tiles).is_none())
    };
    let mut all = Vec::new();
    let [heights, widths, inputs, outputs] = [
        conv.out_height(),
        conv.out_width(),
        conv.input_blocks,
        conv.output_blocks,
    ]
    .map(divisors);
    for &h in &heights {
        for &w in &widths {
            for &ci in &inputs {
                for &co in &outputs {
                    for (oc_threads, h_threads) in [(1, 1), (2, 1), (1, 2)] {
                        let tiles = PackedTiles {
                            h,
                            w,
                            ci,
                            co,
                            oc_threads,
                            h_threads,
                        };
                        if fits(&tiles) {
                            all.push(tiles);
                        }
                    }
                }
            }
        }
    }
    all
}

/// The task that TVM's frontend would extract for a convolution on a geometry: the same workload, the same space.
///
/// # Errors
/// When the space has more configurations than an index can number.
pub fn task(layer: &Layer, geometry: &Geometry) -> Result<Task, SpaceError> {
    let conv = layer.convolution.packed(geometry);
    let mut space = ConfigSpace::new(knobs(&conv))?;
    if let Some(mask) = PackedMask::of_conv(conv, *geometry, space.knobs()) {
        space = space.with_filter(Arc::new(mask));
    }
    let images = geometry.batch() as f64;
    let filled = Convolution {
        input_channels: conv.input_blocks * geometry.block_in(),
        output_channels: conv.output_blocks * geometry.block_out(),
        ..layer.convolution
    };
    Ok(Task {
        workload: workload_of(&conv, geometry),
        host: Some("llvm".to_owned()),
        flop: Some(2.0 * images * filled.macs() as f64),
        weight: layer.uses,
        group: 0,
        space,
    })
}

/// The configuration of a task that [`task`] made for these tiles.
///
/// # Errors
/// When a tile does not divide its axis.
pub fn config(task: &Task, tiles: &PackedTiles) -> Result<ConfigEntity, SpaceError> {
    let split = |factor: usize| Entity::Split(vec![-1, factor as i64]);
    let values = [
        ("tile_b", split(1)),
        ("tile_h", split(tiles.h)),
        ("tile_w", split(tiles.w)),
        ("tile_ci", split(tiles.ci)),
        ("tile_co", split(tiles.co)),
        ("oc_nthread", Entity::Other(json!(tiles.oc_threads))),
        ("h_nthread", Entity::Other(json!(tiles.h_threads))),
    ];
    let entities = values.map(|(name, entity)| (name.to_owned(), entity));
    let config = ConfigEntity {
        index: crate::task::ConfigIndex(0),
        entities: entities.into(),
    };
    task.space.get(task.space.find(&config)?)
}

/// The tiles of a configuration of the template; `None` for another template's.
pub fn tiles_of(config: &ConfigEntity) -> Option<PackedTiles> {
    let value = |name: &str| {
        let (_, entity) = config.entities.iter().find(|(knob, _)| knob == name)?;
        entity.number().filter(|&number| number > 0)
    };
    Some(PackedTiles {
        h: value("tile_h")?,
        w: value("tile_w")?,
        ci: value("tile_ci")?,
        co: value("tile_co")?,
        oc_threads: value("oc_nthread")?,
        h_threads: value("h_nthread")?,
    })
}

/// The knobs of `conv2d_packed.vta` in the order of its definition.
fn knobs(conv: &PackedConv) -> Vec<Knob> {
    let split = |name: &str, extent: usize| {
        let factors = divisors(extent).into_iter();
        let entities = factors.map(|f| Entity::Split(vec![-1, f as i64])).collect();
        Knob::new(name, KnobKind::Split, entities)
    };
    let threads = |name: &str| {
        let entities = [1, 2].map(|n| Entity::Other(json!(n))).into();
        Knob::new(name, KnobKind::Other, entities)
    };
    [
        split("tile_b", 1),
        split("tile_h", conv.out_height()),
        split("tile_w", conv.out_width()),
        split("tile_ci", conv.input_blocks),
        split("tile_co", conv.output_blocks),
        threads("oc_nthread"),
        threads("h_nthread"),
    ]
    .into_iter()
    // Every extent has the divisor 1, and all values of a knob are of its kind.
    .filter_map(Result::ok)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::convolution::tests::SECOND;
    use super::*;

    fn layer() -> Layer {
        Layer {
            convolution: SECOND,
            uses: 4,
        }
    }

    #[test]
    fn schedules_and_valid_configurations_are_the_same() {
        for name in ["sim", "4x8_i8w8a32_15_15_18_17"] {
            let geometry: Geometry = name.parse().unwrap();
            let task = task(&layer(), &geometry).unwrap();
            let indices: Vec<_> = (0..task.space.range_length())
                .map(crate::task::ConfigIndex)
                .collect();
            let valid = task.space.valid(&indices).unwrap();
            let found = schedules(&SECOND.packed(&geometry), &geometry);
            assert_eq!(valid.iter().filter(|&&v| v).count(), found.len(), "{name}");
            for tiles in &found {
                let config = config(&task, tiles).unwrap();
                assert!(valid[config.index.0 as usize]);
                assert_eq!(tiles_of(&config), Some(*tiles));
            }
        }
    }

    #[test]
    fn a_recorded_space_has_the_same_workload_and_the_same_numbers_of_configurations() {
        let file = std::fs::File::open("tests/data/vta_spaces/resnet18_01.log.gz").unwrap();
        let text = std::io::read_to_string(flate2::read::MultiGzDecoder::new(file)).unwrap();
        let line = text.lines().find(|line| line.starts_with('{')).unwrap();
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let workload = crate::task::Workload {
            target: record["input"][0].as_str().unwrap().to_owned(),
            name: record["input"][1].as_str().unwrap().to_owned(),
            args: record["input"][2].clone(),
        };
        let convolution = Convolution::of_task(&workload).unwrap();
        let derived = task(
            &Layer {
                convolution,
                uses: 1,
            },
            &Geometry::default(),
        )
        .unwrap();
        assert_eq!(derived.workload, workload);
        let recorded = ConfigEntity::from_json(&record["config"]).unwrap();
        let index = derived.space.find(&recorded).unwrap();
        assert_eq!(index, recorded.index);
    }
}
