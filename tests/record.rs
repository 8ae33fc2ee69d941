//! Logs as they are found: with comments, blank and truncated lines, other formats, and bytes that are no text.

use std::fs;
use std::path::Path;

use arco_tvm::record::{
    AppendError, AppendFile, ErrorNo, Mended, Record, SkipReason, parse_log, read_log,
};
use arco_tvm::task::ConfigIndex;
use serde_json::json;

/// What AutoTVM's `record.encode` writes for a measured convolution.
const CONV: &str = r#"{"input": ["llvm -keys=cpu -mcpu=znver4", "conv2d_NCHWc.x86", [["TENSOR", [1, 256, 14, 14], "float32"], ["TENSOR", [256, 256, 3, 3], "float32"], [1, 1], [1, 1, 1, 1], [1, 1], "NCHW", "NCHW", "float32"], {}], "config": {"index": 243, "code_hash": null, "entity": [["tile_ic", "sp", [-1, 1]], ["tile_oc", "sp", [-1, 1]], ["tile_ow", "sp", [-1, 7]], ["unroll_kw", "ot", true]]}, "result": [[0.018976, 0.079074, 0.085979], 0, 0.67619, 1795533282.158], "version": 0.2, "tvm_version": "0.19.0"}"#;
/// The same for one that did not compile.
const FAILED: &str = r#"{"input": ["cuda -keys=cuda,gpu -arch=sm_80", "dense_small_batch.gpu", [["TENSOR", [1, 64], "float32"]], {}], "config": {"index": 3, "code_hash": null, "entity": [["ann", "an", ["unroll", "vec"]], ["order", "re", [1, 0]]]}, "result": [[1000000000.0], 2, 1.5, 1795533282.0], "version": 0.2, "tvm_version": "0.19.0"}"#;

/// Line numbers and reasons of what was skipped.
fn skipped(bytes: &[u8]) -> Vec<String> {
    let log = parse_log(Path::new("a.log"), bytes);
    log.skipped.iter().map(ToString::to_string).collect()
}

#[test]
fn a_line_is_read_and_written_to_the_byte() {
    for line in [CONV, FAILED] {
        assert_eq!(Record::from_line(line).unwrap().to_line(), line);
    }
    let record = Record::from_line(FAILED).unwrap();
    assert_eq!(record.result.error_no, ErrorNo::CompileHost);
    assert_eq!(record.result.mean_cost(), None);
}

#[test]
fn autotvms_least_line_is_enough() {
    // `decode` asks for no version. It unpacks exactly four inputs, and so do we.
    let line = r#"{"input": ["llvm", "t", [], {}], "config": {"index": 0, "code_hash": null, "entity": []}, "result": [[1e-3], 0, 0.1, 0]}"#;
    let record = Record::from_line(line).unwrap();
    assert_eq!(record.result.mean_cost(), Some(1e-3));
    let three = line.replace(", {}]", "]");
    assert!(Record::from_line(&three).is_err());
}

#[test]
fn comments_are_passed_over_in_silence() {
    let log = parse_log(
        Path::new("a.log"),
        format!("# tuned on a Monday\n{CONV}\n#{FAILED}\n").as_bytes(),
    );
    assert_eq!(log.records.len(), 1);
    assert_eq!(log.records[0].0, 2, "the line's number");
    assert!(log.skipped.is_empty());
}

#[test]
fn blank_lines_are_skipped_with_a_warning_that_names_the_line() {
    assert_eq!(
        skipped(format!("{CONV}\n\n \t\r\n{CONV}\n").as_bytes()),
        [
            "a.log, line 2 skipped: blank line",
            "a.log, line 3 skipped: blank line"
        ]
    );
}

#[test]
fn a_truncated_last_line_is_skipped_and_those_before_it_are_not() {
    for kept in [1, CONV.len() / 2, CONV.len() - 1] {
        let log = parse_log(
            Path::new("a.log"),
            format!("{CONV}\n{}", &CONV[..kept]).as_bytes(),
        );
        assert_eq!(log.records.len(), 1, "{kept} bytes");
        assert!(
            matches!(log.skipped[..], [ref line] if line.line == 2
            && matches!(line.reason, SkipReason::Truncated)),
            "{kept} bytes"
        );
    }
}

#[test]
fn a_last_line_that_lacks_only_its_end_is_read() {
    let log = parse_log(Path::new("a.log"), CONV.as_bytes());
    assert_eq!((log.records.len(), log.skipped.len()), (1, 0));
}

#[test]
fn an_empty_log_has_no_records_and_nothing_wrong() {
    assert!(skipped(b"").is_empty());
}

#[test]
fn lines_with_windows_ends_are_read() {
    let log = parse_log(
        Path::new("a.log"),
        format!("{CONV}\r\n{FAILED}\r\n").as_bytes(),
    );
    assert_eq!((log.records.len(), log.skipped.len()), (2, 0));
}

#[test]
fn the_format_before_version_0_2_is_named() {
    for version in [r#""v": 0.1"#, r#""version": 0.1"#] {
        let old = CONV.replace(r#""version": 0.2"#, version);
        assert_eq!(
            skipped(format!("{old}\n{CONV}\n").as_bytes()),
            ["a.log, line 1 skipped: AutoTVM log version 0.1; only 0.2 is read"]
        );
    }
}

#[test]
fn lines_that_are_no_text_are_skipped() {
    let bytes = [b"\xff\xfe\0\n", CONV.as_bytes(), b"\n"].concat();
    assert_eq!(skipped(&bytes), ["a.log, line 1 skipped: no UTF-8 text"]);
}

#[test]
fn json_of_another_kind_is_skipped_and_says_what_is_missing() {
    let with = |field: &str, value: serde_json::Value| {
        let mut line: serde_json::Value = serde_json::from_str(CONV).unwrap();
        line[field] = value;
        line.to_string()
    };
    let log = [
        "[1, 2]".to_owned(),
        r#"{"input": ["llvm"]}"#.to_owned(),
        with(
            "config",
            json!({"index": -1, "code_hash": null, "entity": []}),
        ),
        with(
            "config",
            json!({"index": 0, "code_hash": null, "entity": [["tile", "ap", 1]]}),
        ),
        with("result", json!([["fast"], 0, 0.1, 0.0])),
        with("result", json!([[1.0], 9, 0.1, 0.0])),
        with("result", json!(null)),
        // AutoTVM's other protocol.
        "gASVBAAAAAAAAABLAy4=\tgASVBAAAAAAAAABLAy4=".to_owned(),
        CONV.to_owned(),
    ]
    .join("\n");
    let log = parse_log(Path::new("a.log"), log.as_bytes());
    assert_eq!(log.records.len(), 1);
    let lines: Vec<usize> = log.skipped.iter().map(|line| line.line).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 6, 7, 8]);
    let reasons: Vec<String> = log.skipped.iter().map(ToString::to_string).collect();
    for (line, part) in [(0, "`input`"), (4, "result[0] (costs)"), (5, "from 0 to 8")] {
        assert!(reasons[line].contains(part), "{}", reasons[line]);
    }
}

fn record(index: u64) -> String {
    let mut record = Record::from_line(CONV).unwrap();
    record.config.index = ConfigIndex(index);
    record.to_line()
}

#[test]
fn what_is_appended_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    for round in 0..2 {
        let (mut log, mended) = AppendFile::open(&path).unwrap();
        assert_eq!(mended, None);
        for index in 0..3 {
            log.append(&record(3 * round + index)).unwrap();
        }
        log.sync().unwrap();
    }
    let log = read_log(&path).unwrap();
    assert!(log.skipped.is_empty());
    let indices: Vec<u64> = log
        .records
        .iter()
        .map(|(_, record)| record.config.index.0)
        .collect();
    assert_eq!(indices, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_fragment_at_the_end_is_moved_out_of_the_way_before_anything_is_appended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    fs::write(&path, format!("{CONV}\n{}", &CONV[..100])).unwrap();
    let (mut log, mended) = AppendFile::open(&path).unwrap();
    let to = folder.path().join("a.log.fragment");
    assert_eq!(mended, Some(Mended::MovedFragment { to: to.clone() }));
    log.append(&record(7)).unwrap();
    drop(log);
    let log = read_log(&path).unwrap();
    assert_eq!((log.records.len(), log.skipped.len()), (2, 0));
    assert_eq!(fs::read_to_string(to).unwrap().trim_end(), &CONV[..100]);
}

#[test]
fn a_last_record_without_its_line_break_gets_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    fs::write(&path, CONV).unwrap();
    let (mut log, mended) = AppendFile::open(&path).unwrap();
    assert_eq!(mended, Some(Mended::AddedLineBreak));
    log.append(&record(7)).unwrap();
    drop(log);
    assert_eq!(read_log(&path).unwrap().records.len(), 2);
}

#[test]
fn two_runs_cannot_write_to_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let first = AppendFile::open(&path).unwrap();
    assert!(matches!(
        AppendFile::open(&path),
        Err(AppendError::Locked { .. })
    ));
    drop(first);
    AppendFile::open(&path).unwrap();
}

#[test]
fn a_new_log_that_got_no_record_goes_away_and_one_that_was_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    drop(AppendFile::open(&path).unwrap());
    assert!(!path.exists());
    fs::write(&path, "").unwrap();
    drop(AppendFile::open(&path).unwrap());
    assert!(path.exists());
}

#[test]
fn a_log_must_be_an_ordinary_file() {
    let error = AppendFile::open(Path::new("/dev/null"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("no ordinary file"), "{error}");
}
