//! Every format that recorded spaces come in, and what is wrong with some files.

use std::io::Write;
use std::path::PathBuf;

use arco_tvm::measure::recorded::{ReadOptions, RecordedSpace, T1, read};
use arco_tvm::record::ErrorNo;
use arco_tvm::seed::Seed;
use arco_tvm::task::{ConfigIndex, Entity, TargetKind};
use rand::RngExt;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{landscape, recorded, recorded_with};

const A100: &str = "gpu/convolution_A100.json.gz";
const A100_T4: &str = "gpu/convolution_A100_T4.json.gz";
const CONVOLUTION: &str = "gpu/convolution_T1.json";

/// All configurations that may be asked for.
fn open(recorded: &RecordedSpace) -> Vec<ConfigIndex> {
    let all: Vec<ConfigIndex> = (0..recorded.space.range_length())
        .map(ConfigIndex)
        .collect();
    let valid = recorded.space.valid(&all).unwrap();
    let open = all.into_iter().zip(valid).filter(|(_, valid)| *valid);
    open.map(|(index, _)| index).collect()
}

fn values(recorded: &RecordedSpace, index: ConfigIndex) -> Vec<(String, Value)> {
    let config = recorded.space.get(index).unwrap();
    let values = config.entities.into_iter();
    values
        .map(|(name, entity)| (name, entity.to_json()))
        .collect()
}

#[test]
fn an_autotvm_log_is_a_space_with_its_own_indices() {
    let recorded = recorded("r18_conv1x1s2_128x28.json.gz");
    assert_eq!(recorded.name, "r18_conv1x1s2_128x28");
    assert_eq!(recorded.configurations(), 864);
    assert_eq!(recorded.space.range_length(), 864);
    assert!(!recorded.space.is_filtered());
    assert_eq!(recorded.context.target, TargetKind::Cpu);
    let workload = recorded.context.workload.as_ref().unwrap();
    assert_eq!(workload.label(), "conv2d_NCHWc.x86 1x128x28x28 256x128x1x1");
    // The first and second lines of the log.
    let first = recorded.evaluate(ConfigIndex(0));
    assert_eq!(first.cost, Ok(0.004523055499999984));
    assert_eq!(first.seconds, Some(0.4577751159667969));
    assert_eq!(
        values(&recorded, ConfigIndex(1))[0],
        ("tile_ic".to_owned(), json!([-1, 2]))
    );
}

#[test]
fn failures_of_a_log_are_failures() {
    let recorded = recorded("r18_dense_nopack_512.json.gz");
    assert_eq!((recorded.configurations(), recorded.valid()), (160, 148));
    let failed = recorded.evaluate(ConfigIndex(95));
    assert_eq!(failed.cost, Err(ErrorNo::BuildTimeout));
    assert_eq!(failed.seconds, Some(12.0));
}

#[test]
fn a_kernel_tuner_cache_counts_milliseconds_and_failures_that_are_texts() {
    let recorded = recorded(A100);
    assert_eq!((recorded.configurations(), recorded.valid()), (4362, 4201));
    assert_eq!(recorded.context.target, TargetKind::Gpu);
    // The first entry, "16,1,1,1,0,0,0,1,15,15".
    let first = recorded.evaluate(ConfigIndex(0));
    assert_eq!(first.cost, Ok(3.8753279224038124 * 1e-3));
    let seconds = first.seconds.unwrap();
    assert!((seconds - (918.5990339610726 + 126.3829180970788) / 1e3).abs() < 1e-12);
    let failures: Vec<ErrorNo> = open(&recorded)
        .into_iter()
        .filter_map(|index| recorded.evaluate(index).cost.err())
        .collect();
    let count = |error| failures.iter().filter(|found| **found == error).count();
    assert_eq!(count(ErrorNo::RuntimeDevice), 155);
    assert_eq!(count(ErrorNo::CompileDevice), 6);
}

#[test]
fn declared_conditions_leave_exactly_what_was_recorded() {
    for (cache, conditions, configurations) in [
        (A100, CONVOLUTION, 4362),
        ("gpu/convolution_W6600.json.gz", CONVOLUTION, 4362),
        (
            "gpu/dedispersion_W6600.json.gz",
            "gpu/dedispersion_T1.json",
            11130,
        ),
    ] {
        let with = recorded_with(cache, Some(conditions), true);
        assert_eq!(with.configurations(), configurations, "{cache}");
        assert_eq!(open(&with), open(&recorded(cache)), "{cache}");
        // Without masks the whole product is open, so whatever is not recorded is what the conditions refuse.
        let unmasked = recorded_with(cache, Some(conditions), false);
        assert_eq!(unmasked.configurations(), unmasked.space.range_length());
        assert!(!unmasked.space.is_filtered());
        assert_eq!(unmasked.valid(), with.valid());
        let refused = ConfigIndex(with.space.range_length() - 1);
        assert_eq!(unmasked.evaluate(refused).cost, Err(ErrorNo::Instantiation));
    }
}

#[test]
fn a_t4_file_is_the_same_space_as_the_cache_that_it_was_made_of() {
    let cache = recorded_with(A100, Some(CONVOLUTION), true);
    for conditions in [None, Some(CONVOLUTION)] {
        let t4 = recorded_with(A100_T4, conditions, true);
        assert_eq!(t4.space.range_length(), cache.space.range_length());
        for index in open(&cache) {
            assert_eq!(values(&t4, index), values(&cache, index));
            let (ours, theirs) = (t4.evaluate(index), cache.evaluate(index));
            assert_eq!(ours.cost, theirs.cost, "{index}");
            // T4 has the runs, and not what the rest of the benchmark took.
            let (ours, theirs) = (ours.seconds.unwrap(), theirs.seconds.unwrap());
            assert!(
                ours <= theirs + 1e-9 && ours > 0.7 * theirs,
                "{ours} of {theirs}"
            );
        }
    }
}

#[test]
fn vta_landscapes_are_masked_down_to_what_runs() {
    for (name, configurations, valid, best) in [
        ("vta/C4.jsonl.gz", 1728, 315, 81_993.0),
        ("vta/C5.jsonl.gz", 2304, 147, 499_715.0),
    ] {
        let masked = recorded(name);
        assert_eq!(masked.configurations(), valid, "{name}");
        assert_eq!(masked.valid() as u64, valid);
        // Cycles at 100 MHz.
        assert_eq!(masked.optimum(), Some(best / 1e8));
        assert_eq!(masked.context.target, TargetKind::Vta);
        let whole = recorded_with(name, None, false);
        assert_eq!(whole.configurations(), configurations);
        assert_eq!(whole.valid() as u64, valid);
        assert!(!whole.space.is_filtered());
    }
}

#[test]
fn the_shape_of_a_vta_landscape_follows_from_its_counters() {
    let args = |name| recorded(name).context.workload.unwrap().args;
    assert_eq!(
        args("vta/C4.jsonl.gz"),
        json!([
            ["TENSOR", [1, 4, 56, 56, 1, 16], "int8"],
            ["TENSOR", [8, 4, 1, 1, 16, 16], "int8"],
            [2, 2],
            [0, 0, 0, 0],
            [1, 1],
            "NCHW1n16c",
            "int32"
        ])
    );
    assert_eq!(
        args("vta/C5.jsonl.gz"),
        json!([
            ["TENSOR", [1, 8, 28, 28, 1, 16], "int8"],
            ["TENSOR", [8, 8, 3, 3, 16, 16], "int8"],
            [1, 1],
            [1, 1, 1, 1],
            [1, 1],
            "NCHW1n16c",
            "int32"
        ])
    );
}

#[test]
fn tiles_of_a_vta_landscape_are_splits_as_in_autotvms_log() {
    let space = recorded("vta/C4.jsonl.gz").space;
    let config = space.get(ConfigIndex(1)).unwrap();
    assert_eq!(
        config.entities[1],
        ("tile_h".to_owned(), Entity::Split(vec![-1, 2]))
    );
    assert_eq!(
        config.entities[5],
        ("oc_nthread".to_owned(), Entity::Other(json!(1)))
    );
}

/// A folder with a file.
fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn read_text(content: impl AsRef<[u8]>) -> Result<(Vec<RecordedSpace>, Vec<String>), String> {
    let (folder, path) = file("space.json", content);
    let recording = read(&path, &ReadOptions::default());
    let name = format!("{}/", folder.path().display());
    let recording = recording.map_err(|error| error.to_string().replace(&name, ""))?;
    let notes = recording.notes.iter().map(|note| note.replace(&name, ""));
    Ok((recording.spaces, notes.collect()))
}

/// A line of a log with the knobs `a` and `b`.
fn line(task: &str, index: u64, a: i64, b: i64, cost: &str) -> String {
    format!(
        "{{\"input\": [\"llvm -keys=cpu\", \"{task}\", [], {{}}], \"config\": {{\"index\": {index}, \"code_hash\": null, \
         \"entity\": [[\"a\", \"sp\", [-1, {a}]], [\"b\", \"ot\", {b}]]}}, \"result\": [[{cost}], 0, 0.5, 1.0], \
         \"version\": 0.2, \"tvm_version\": \"0.19.0\"}}\n"
    )
}

#[test]
fn a_log_of_part_of_a_space_leaves_only_that_part_open() {
    // AutoTVM's numbers belong to a larger space; values are put in order.
    let log = [
        line("t", 7, 8, 3, "2.0"),
        line("t", 3, 2, 9, "1.0"),
        line("t", 90, 4, 3, "3.0"),
    ];
    let (spaces, notes) = read_text(log.concat()).unwrap();
    assert_eq!(notes, Vec::<String>::new());
    let recorded = &spaces[0];
    assert_eq!(recorded.space.range_length(), 6);
    assert_eq!(recorded.configurations(), 3);
    let costs: Vec<_> = open(recorded)
        .into_iter()
        .map(|index| {
            (
                values(recorded, index),
                recorded.evaluate(index).cost.unwrap(),
            )
        })
        .collect();
    let config =
        |a: i64, b: i64| vec![("a".to_owned(), json!([-1, a])), ("b".to_owned(), json!(b))];
    assert_eq!(
        costs,
        [
            (config(4, 3), 3.0),
            (config(8, 3), 2.0),
            (config(2, 9), 1.0)
        ]
    );
}

#[test]
fn a_sample_with_its_space_declared_keeps_autotvms_indices() {
    let declared = "# arco-tvm space {\"input\": [\"llvm -keys=cpu\", \"t\", [], {}], \"knobs\": \
        [[\"a\", \"sp\", [[-1, 1], [-1, 2], [-1, 4], [-1, 8]]], [\"b\", \"ot\", [9, 3, 5]]]}\n";
    let log = [
        declared.to_owned(),
        line("t", 7, 8, 3, "2.0"),
        line("t", 1, 2, 9, "1.0"),
    ];
    let (spaces, notes) = read_text(log.concat()).unwrap();
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!(spaces[0].space.range_length(), 12);
    assert_eq!(open(&spaces[0]), [ConfigIndex(1), ConfigIndex(7)]);
    assert_eq!(spaces[0].evaluate(ConfigIndex(7)).cost, Ok(2.0));
}

#[test]
fn every_task_of_a_log_is_a_space_and_the_fastest_of_two_records_counts() {
    let log = [
        line("t", 0, 1, 1, "2.0"),
        line("u", 0, 1, 1, "5.0"),
        line("t", 0, 1, 1, "1.5"),
        line("t", 0, 1, 1, "1.7"),
    ];
    let (spaces, _) = read_text(log.concat()).unwrap();
    let found: Vec<_> = spaces
        .iter()
        .map(|s| (s.name.as_str(), s.optimum()))
        .collect();
    assert_eq!(found, [("space t", Some(1.5)), ("space u", Some(5.0))]);
}

#[test]
fn costs_that_are_no_times_are_failures() {
    let log = [
        line("t", 0, 1, 1, "NaN"),
        line("t", 1, 2, 1, "Infinity"),
        line("t", 2, 1, 2, "0.25"),
        line("t", 3, 2, 2, "-1.0"),
    ];
    let (spaces, notes) = read_text(log.concat()).unwrap();
    assert_eq!((spaces[0].configurations(), spaces[0].valid()), (4, 1));
    assert_eq!(
        notes,
        ["space: 3 costs are no times (NaN, infinite or not positive) and count as failures"]
    );
}

#[test]
fn damaged_lines_are_passed_over_and_told() {
    let log = line("t", 0, 1, 1, "2.0") + "# a comment\n\n{\"input\": 3}\n" + "{\"input\": [\"llv";
    let (spaces, notes) = read_text(log).unwrap();
    assert_eq!(spaces[0].configurations(), 1);
    assert_eq!(
        notes,
        [
            "space.json, line 3: blank line (skipped)",
            "space.json, line 4: no AutoTVM record: `input` is missing or is no list of four (skipped)",
            "space.json, line 5: truncated last line (skipped)",
        ]
    );
}

#[test]
fn files_that_are_no_space_say_what_is_wrong() {
    let cases: [(&[u8], &str); 9] = [
        (b"", "space.json: no configuration is recorded"),
        (
            b"\n# only a comment\n",
            "space.json: no configuration is recorded",
        ),
        (
            b"\xff\xfe",
            "space.json is no recorded space: no UTF-8 text",
        ),
        (
            b"hello",
            "space.json is no recorded space: no JSON: expected value at line 1 column 1",
        ),
        (
            b"{\"a\": 1}",
            "space.json is no recorded space: line 1: truncated last line",
        ),
        (
            b"{\"ConfigurationSpace\": {}}",
            "space.json is no recorded space: it is a T1 file: give it with --conditions, beside the file with the results",
        ),
        (
            b"{\"tune_params\": {\"x\": [1]}, \"cache\": {}}",
            "space: no configuration is recorded",
        ),
        (
            b"{\"tune_params\": {\"x\": [1]}, \"cache\": {\"2\": {\"x\": 2, \"time\": 1}}}",
            "space.json is no recorded space: entry \"2\": `x` has no value 2",
        ),
        (b"{\"results\": []}", "space: no configuration is recorded"),
    ];
    for (content, expected) in cases {
        assert_eq!(
            read_text(content).map(|_| ()).unwrap_err(),
            expected,
            "{}",
            String::from_utf8_lossy(content)
        );
    }
}

#[test]
fn a_damaged_gzip_file_is_an_error_and_no_panic() {
    let whole = std::fs::read(landscape(A100)).unwrap();
    let (_folder, path) = file("half.json.gz", &whole[..whole.len() / 2]);
    let error = read(&path, &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("damaged gzip file"), "{error}");
}

#[test]
fn the_cache_of_a_killed_kernel_tuner_is_read_to_its_last_whole_entry() {
    let entry = |x: u32| format!("\"{x}\": {{\"x\": {x}, \"time\": {x}.0}},");
    let open = format!(
        "{{\"tune_params\": {{\"x\": [1, 2, 3]}},\n\"cache\": {{\n{}\n{}\n",
        entry(1),
        entry(2)
    );
    let (spaces, notes) = read_text(open).unwrap();
    assert_eq!(
        (spaces[0].configurations(), spaces[0].space.range_length()),
        (2, 3)
    );
    assert_eq!(notes, ["space.json is the cache of a run that did not end"]);
}

/// The first `lines` lines of a packed file.
fn head(name: &str, lines: usize) -> String {
    let text = String::from_utf8(arco_tvm::record::read_bytes(&landscape(name)).unwrap()).unwrap();
    text.lines()
        .take(lines)
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn garbled_files_are_errors_or_smaller_spaces_and_never_a_panic() {
    let vta_log = line("conv2d_packed.vta", 0, 1, 1, "1.0").replace(
        "\"llvm -keys=cpu\", \"conv2d_packed.vta\", []",
        "\"ext_dev -keys=vta,cpu -device=vta -model=sim_1x16_i8w8a32_15_15_18_17\", \"conv2d_packed.vta\", \
         [[\"TENSOR\", [1, 4, 8, 8, 1, 16], \"int8\"], [\"TENSOR\", [4, 4, 3, 3, 16, 16], \"int8\"], [1, 1], [1, 1], [1, 1], \"NCHW1n16c\", \"int32\"]",
    ).replace(
        "[[\"a\", \"sp\", [-1, 1]], [\"b\", \"ot\", 1]]",
        "[[\"tile_h\", \"sp\", [-1, 4]], [\"tile_w\", \"sp\", [-1, 4]], [\"tile_ci\", \"sp\", [-1, 1]], \
         [\"tile_co\", \"sp\", [-1, 1]], [\"oc_nthread\", \"ot\", 1], [\"h_nthread\", \"ot\", 1]]",
    );
    assert_eq!(read_text(&vta_log).unwrap().0[0].configurations(), 1);
    let originals = [
        head("r18_dense_nopack_512.json.gz", 6),
        head("vta/C5.jsonl.gz", 12),
        head("gpu/convolution_A100.json.gz", 40),
        vta_log,
        json!({"results": [{"configuration": {"x": 1}, "times": {"compilation": 2, "runtimes": [1.0]},
            "invalidity": "correct", "measurements": [{"name": "time", "value": 1.5}]}]})
        .to_string(),
    ];
    let mut rng = Seed(5).stream("garble");
    let pieces = [
        "0",
        "-1",
        "9999999999999",
        "null",
        "\"\"",
        "[]",
        "{}",
        "NaN",
        "1e999",
        ",",
        "\u{e9}",
    ];
    let (mut spaces, mut errors) = (0, 0);
    for original in &originals {
        for _ in 0..300 {
            let mut text: Vec<char> = original.chars().collect();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..text.len());
                match rng.random_range(0..4) {
                    0 => text.truncate(at.max(1)),
                    1 => {
                        text.remove(at);
                    }
                    // A number, most often, in the place of another.
                    _ => {
                        let end = (at + rng.random_range(1..4)).min(text.len());
                        let piece = pieces[rng.random_range(0..pieces.len())];
                        text.splice(at..end, piece.chars());
                    }
                }
            }
            match read_text(text.into_iter().collect::<String>()) {
                Ok(_) => spaces += 1,
                Err(error) => {
                    assert!(!error.is_empty());
                    errors += 1;
                }
            }
        }
    }
    assert!(
        spaces > 100 && errors > 100,
        "{spaces} spaces, {errors} errors"
    );
}

#[test]
fn conditions_that_refuse_what_ran_are_not_believed() {
    let (folder, t1) = file(
        "T1.json",
        json!({"ConfigurationSpace": {
            "TuningParameters": [{"Name": "x", "Values": "[1, 2]"}, {"Name": "y", "Values": [1]}],
            "Conditions": [{"Expression": "x > y"}]
        }})
        .to_string(),
    );
    let cache = folder.path().join("cache.json");
    let mut file = std::fs::File::create(&cache).unwrap();
    let entry = |x: u32, time: Value| json!({"x": x, "y": 1, "time": time});
    let write = json!({
        "tune_params_keys": ["x", "y"], "tune_params": {"x": [1, 2], "y": [1]},
        "cache": {"1,1": entry(1, json!(5.0)), "2,1": entry(2, json!(4.0))}
    });
    file.write_all(write.to_string().as_bytes()).unwrap();
    let options = ReadOptions {
        conditions: vec![T1::read(&t1).unwrap()],
        masks: true,
    };
    let error = read(&cache, &options).unwrap_err().to_string();
    let expected = format!(
        "cache: 1 recorded configurations ran although the conditions of {} refuse them, the first is x = 1, y = 1",
        t1.display()
    );
    assert_eq!(error, expected);
}
