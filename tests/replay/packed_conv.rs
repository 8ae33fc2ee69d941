//! The rules of `conv2d_packed.vta` against programs that were compiled and run.

use std::path::Path;

use arco_tvm::record::read_bytes;
use arco_tvm::vta::config::Preset;
use arco_tvm::vta::packed_conv::{PackedConv, PackedTiles};
use serde_json::Value;

/// Channels of a block, with BATCH = 1.
const BLOCK: usize = 16;

#[test]
fn the_rules_tell_which_of_many_convolutions_schedules_run() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vta/conv2d_1x16.jsonl.gz");
    let text = String::from_utf8(read_bytes(&path).unwrap()).unwrap();
    let geometry = Preset::De10nano.geometry();
    let (mut valid, mut refused) = (0, 0);
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let number = |part: &str, field: &str| line[part][field].as_u64().unwrap() as usize;
        let shape = |field| number("workload", field);
        let factor = |field| number("config", field);
        let conv = PackedConv {
            height: shape("height"),
            width: shape("width"),
            input_blocks: shape("in_filter").div_ceil(BLOCK),
            output_blocks: shape("out_filter").div_ceil(BLOCK),
            kernel_height: shape("hkernel"),
            kernel_width: shape("wkernel"),
            stride: shape("hstride"),
            padding: shape("hpad"),
        };
        let tiles = PackedTiles {
            h: factor("tile_h"),
            w: factor("tile_w"),
            ci: factor("tile_ci"),
            co: factor("tile_co"),
            oc_threads: factor("oc_nthread"),
            h_threads: factor("h_nthread"),
        };
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
    assert!(valid > 100 && refused > 10, "{valid} run, {refused} do not");
}
