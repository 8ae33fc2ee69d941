//! The rules of `conv2d_packed.vta` against programs that were compiled and run.

use std::path::Path;

use arco_tvm::measure::recorded::{ReadOptions, read};
use arco_tvm::record::read_bytes;
use arco_tvm::task::ConfigIndex;
use arco_tvm::vta::config::Geometry;
use serde_json::Value;

use crate::support::packed::{conv_of, tiles_of};

/// Holds the rules against the records of a file: how many run, how many do not.
fn compare(file: &str) -> (usize, usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/vta")
        .join(file);
    let text = String::from_utf8(read_bytes(&path).unwrap()).unwrap();
    let (mut valid, mut refused) = (0, 0);
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let geometry: Geometry = line["geometry"].to_string().parse().unwrap();
        let conv = conv_of(&line["workload"], &geometry);
        let tiles = tiles_of(&line["config"]);
        let refusal = conv.refusal(&geometry, &tiles);
        assert_eq!(
            refusal.is_none(),
            line["valid"].as_bool().unwrap(),
            "{conv:?} {tiles:?}: {refusal:?}, {}",
            line["error"]
        );
        match refusal {
            None => valid += 1,
            Some(_) => refused += 1,
        }
    }
    (valid, refused)
}

#[test]
fn the_rules_tell_which_of_many_convolutions_schedules_run() {
    let (valid, refused) = compare("conv2d_1x16.jsonl.gz");
    assert!(valid > 100 && refused > 10, "{valid} run, {refused} do not");
}

#[test]
fn the_rules_hold_for_other_blocks_and_batches() {
    let (valid, refused) = compare("conv2d_b1x32.jsonl.gz");
    assert!(valid > 20 && refused > 0, "{valid} run, {refused} do not");
}

#[test]
fn what_was_recorded_of_a_network_is_what_the_rules_allow() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vta_spaces");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "gz") {
            continue;
        }
        files += 1;
        // A mask that refuses what ran would be an error.
        let masked = read(&path, &ReadOptions::default()).unwrap();
        let [space] = &masked.spaces[..] else {
            panic!("{}: {} spaces", path.display(), masked.spaces.len());
        };
        let indices: Vec<_> = (0..space.space.range_length()).map(ConfigIndex).collect();
        let open = space.space.valid(&indices).unwrap();
        let open = open.into_iter().filter(|open| *open).count();
        assert_eq!(open, space.valid(), "{}", path.display());
        // All of the space is known, so the rest is what the rules refuse.
        let bare = ReadOptions {
            masks: false,
            ..ReadOptions::default()
        };
        let bare = read(&path, &bare).unwrap();
        let all = bare.spaces[0].configurations();
        assert_eq!(all, space.space.range_length(), "{}", path.display());
    }
    assert_eq!(files, 11);
}
