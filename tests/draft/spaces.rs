//! The recorded spaces: what every schedule of ResNet-18's layers costs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arco_tvm::record::read_bytes;
use arco_tvm::vta::config::Geometry;
use arco_tvm::vta::draft::{Drafter, Epilogue};
use arco_tvm::vta::packed_conv::{PackedConv, PackedTiles};
use rayon::prelude::*;
use serde_json::Value;

/// A recorded schedule, and its cycles.
struct Case {
    conv: PackedConv,
    geometry: Geometry,
    tiles: PackedTiles,
    cycles: u64,
}

fn case(line: &str) -> Case {
    let record: Value = serde_json::from_str(line).unwrap();
    let [target, _, args, _] = &record["input"].as_array().unwrap()[..] else {
        panic!("{line}");
    };
    let model = target.as_str().unwrap().split("-model=").nth(1).unwrap();
    let geometry = Geometry::from_name(model).unwrap();
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    let (data, kernel) = (&args[0][1], &args[1][1]);
    let conv = PackedConv {
        batches: number(&data[0]),
        height: number(&data[2]),
        width: number(&data[3]),
        input_blocks: number(&data[1]),
        output_blocks: number(&kernel[0]),
        kernel_height: number(&kernel[2]),
        kernel_width: number(&kernel[3]),
        stride: number(&args[2][0]),
        padding: number(&args[3][0]),
    };
    let entities = record["config"]["entity"].as_array().unwrap();
    let knob = |name: &str| {
        let entity = entities.iter().find(|entity| entity[0] == name).unwrap();
        let value = &entity[2];
        number(value.get(1).unwrap_or(value))
    };
    let tiles = PackedTiles {
        h: knob("tile_h"),
        w: knob("tile_w"),
        ci: knob("tile_ci"),
        co: knob("tile_co"),
        oc_threads: knob("oc_nthread"),
        h_threads: knob("h_nthread"),
    };
    let seconds = record["result"][0][0].as_f64().unwrap();
    let cycles = (seconds * 1e6 * f64::from(geometry.clock_mhz())).round() as u64;
    Case {
        conv,
        geometry,
        tiles,
        cycles,
    }
}

fn spaces() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vta_spaces");
    let files = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(".log.gz"));
    paths.sort();
    paths
}

#[test]
fn every_recorded_schedule_of_a_network_takes_the_cycles_of_its_draft() {
    let mut compared = 0;
    for path in spaces() {
        let text = String::from_utf8(read_bytes(&path).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let wrong: Vec<String> = lines
            .par_iter()
            .map(|line| {
                let case = case(line);
                let mut drafter = Drafter::new(&case.geometry);
                let mut draft = drafter
                    .draft(&case.conv, &case.tiles, &Epilogue::requantised())
                    .unwrap();
                let cycles = draft.cycles().unwrap();
                (cycles != case.cycles).then(|| {
                    format!(
                        "{:?} {:?}: {cycles}, {}",
                        case.conv, case.tiles, case.cycles
                    )
                })
            })
            .flatten()
            .collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
        compared += lines.len();
    }
    assert_eq!(compared, 1968);
}

/// Prints what a draft of a recorded schedule takes: `make test-draft`.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "it is run for what it prints")]
fn drafts_of_a_space_take_less_time_than_anyone_waits() {
    let epilogue = Epilogue::requantised();
    for path in spaces() {
        let text = String::from_utf8(read_bytes(&path).unwrap()).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let cases: Vec<Case> = lines.map(case).collect();
        let mut drafter = Drafter::new(&cases[0].geometry);
        let mut insns = 0;
        let [mut emitting, mut timing] = [Duration::ZERO; 2];
        let mut each = Vec::new();
        for case in &cases {
            let start = Instant::now();
            let mut draft = drafter.draft(&case.conv, &case.tiles, &epilogue).unwrap();
            let emitted = start.elapsed();
            draft.cycles().unwrap();
            let whole = start.elapsed();
            emitting += emitted;
            timing += whole - emitted;
            each.push(whole);
            let launches = draft.launches();
            insns += launches
                .iter()
                .map(|launch| launch.insns.len())
                .sum::<usize>();
        }
        each.sort();
        let count = cases.len() as f64;
        println!(
            "{}: {count} drafts of {:.0} instructions: {:.0} us each (median {:.0}), {:.0} us of it for the program; \
             {:.0} ns for an instruction's emission, {:.0} ns for its time",
            path.file_name().unwrap().to_string_lossy(),
            insns as f64 / count,
            (emitting + timing).as_secs_f64() * 1e6 / count,
            each[each.len() / 2].as_secs_f64() * 1e6,
            emitting.as_secs_f64() * 1e6 / count,
            emitting.as_secs_f64() * 1e9 / insns as f64,
            timing.as_secs_f64() * 1e9 / insns as f64,
        );
    }
}
