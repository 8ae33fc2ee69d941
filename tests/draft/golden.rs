//! The golden data: counters, instructions and micro-operations of the original's programs.

use std::path::{Path, PathBuf};

use arco_tvm::record::read_bytes;
use arco_tvm::vta::config::Geometry;
use arco_tvm::vta::draft::{Draft, DraftError, Drafter, Epilogue};
use arco_tvm::vta::isa::{Insn, RawInsn, decode_program};
use arco_tvm::vta::packed_conv::PackedConv;
use arco_tvm::vta::program::Counters;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::packed::{conv_of, tiles_of};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(path)
}

fn lines(path: &str) -> Vec<Value> {
    let text = String::from_utf8(read_bytes(&data(path)).unwrap()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn geometry_of(record: &Value) -> Geometry {
    record["geometry"].to_string().parse().unwrap()
}

/// A call's instructions, with every tensor at the beginning of memory as the records' hashes have them.
fn without_addresses(insns: &[Insn]) -> Vec<Insn> {
    let mut insns = insns.to_vec();
    for insn in &mut insns {
        if let Insn::Load(m) | Insn::Store(m) = insn {
            m.dram_base = 0;
        }
    }
    insns
}

fn bytes(insns: &[Insn], geometry: &Geometry) -> Vec<u8> {
    let encoded = insns.iter().map(|insn| insn.encode(geometry).unwrap());
    encoded.flat_map(RawInsn::to_bytes).collect()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn counters_of(stats: &Value) -> Counters {
    serde_json::from_value(stats.clone()).unwrap()
}

/// A draft's only launch.
fn only<'a>(draft: &'a Draft<'_>) -> (&'a [Insn], &'a [u8]) {
    let [launch] = draft.launches() else {
        panic!("{} launches", draft.launches().len());
    };
    (&launch.insns, &launch.uops)
}

/// Holds drafts against the records of a file: how many ran, how many did not.
fn compare(file: &str) -> (usize, usize) {
    let (mut ran, mut refused) = (0, 0);
    for record in lines(file) {
        let geometry = geometry_of(&record);
        let (conv, tiles) = (
            conv_of(&record["workload"], &geometry),
            tiles_of(&record["config"]),
        );
        let name = format!("{conv:?} {tiles:?}");
        let mut drafter = Drafter::new(&geometry);
        let draft = drafter.draft_first(&conv, &tiles, &Epilogue::biased());
        if !record["valid"].as_bool().unwrap() {
            assert!(matches!(draft, Err(DraftError::Refused(_))), "{name}");
            refused += 1;
            continue;
        }
        let draft = draft.unwrap();
        let (insns, uops) = only(&draft);
        assert_eq!(insns.len(), number(&record["insn_count"]), "{name}");
        let insns = bytes(&without_addresses(insns), &geometry);
        let hash = record["insn_sha256_dram_base_zeroed"].as_str();
        assert_eq!(Some(&sha256(&insns)[..]), hash, "{name}");
        let hash = record["uop_sha256"].as_str();
        assert_eq!(Some(&sha256(uops)[..]), hash, "{name}");
        assert_eq!(draft.counters(), counters_of(&record["stats"]), "{name}");
        ran += 1;
    }
    (ran, refused)
}

#[test]
fn drafts_of_the_recorded_convolutions_are_the_original_programs() {
    assert_eq!(compare("vta/conv2d_1x16.jsonl.gz"), (105, 14));
}

#[test]
fn drafts_for_larger_blocks_are_the_original_programs() {
    let (ran, refused) = compare("vta/conv2d_b1x32.jsonl.gz");
    assert!(ran > 20 && ran + refused == 48, "{ran} ran");
}

#[test]
fn drafts_are_the_programs_that_the_hardware_was_timed_with() {
    let mut compared = 0;
    for entry in std::fs::read_dir(data("vta/rtl")).unwrap() {
        let path = entry.unwrap().path();
        let record: Value = serde_json::from_slice(&read_bytes(&path).unwrap()).unwrap();
        let geometry = geometry_of(&record);
        let recorded = hex(record["insns"].as_str().unwrap());
        let (words, []) = recorded.as_chunks::<16>() else {
            panic!("{}", path.display());
        };
        let words: Vec<RawInsn> = words
            .iter()
            .map(|word| RawInsn::from_bytes(*word))
            .collect();
        let recorded = decode_program(&words, &geometry).unwrap();
        let mut drafter = Drafter::new(&geometry);
        let conv = conv_of(&record["workload"], &geometry);
        let tiles = tiles_of(&record["config"]);
        let draft = drafter
            .draft_first(&conv, &tiles, &Epilogue::biased())
            .unwrap();
        let (insns, _) = only(&draft);
        // Not `assert_eq`: it would print thousands of instructions.
        let same = without_addresses(insns) == without_addresses(&recorded);
        assert!(same, "{}", path.display());
        let tokens: [u8; 4] = serde_json::from_value(record["tokens_end"].clone()).unwrap();
        let later = drafter.draft(&conv, &tiles, &Epilogue::biased()).unwrap();
        assert_eq!(later.tokens(), tokens, "{}", path.display());
        compared += 1;
    }
    assert_eq!(compared, 28);
}

#[test]
fn counters_of_drafts_are_those_of_two_whole_spaces() {
    let spaces = [
        ("landscapes/vta/C4.jsonl.gz", [56, 4, 8, 1, 2, 0], 315),
        ("landscapes/vta/C5.jsonl.gz", [28, 8, 8, 3, 1, 1], 147),
    ];
    for (file, [side, input_blocks, output_blocks, kernel, stride, padding], count) in spaces {
        let conv = PackedConv {
            batches: 1,
            height: side,
            width: side,
            input_blocks,
            output_blocks,
            kernel_height: kernel,
            kernel_width: kernel,
            stride,
            padding,
        };
        let mut drafter = Drafter::new(&Geometry::default());
        let mut compared = 0;
        for record in lines(file) {
            let tiles = tiles_of(&record["config"]);
            let draft = drafter.draft_first(&conv, &tiles, &Epilogue::biased());
            let valid = record["valid"].as_bool().unwrap();
            assert_eq!(draft.is_ok(), valid, "{file} {tiles:?}");
            let Ok(draft) = draft else { continue };
            let (insns, _) = only(&draft);
            assert_eq!(insns.len(), number(&record["insn_count"]), "{tiles:?}");
            assert_eq!(draft.counters(), counters_of(&record["stats"]), "{tiles:?}");
            compared += 1;
        }
        assert_eq!(compared, count, "{file}");
    }
}
