//! `arco-tvm log` on logs that were measured: by arco-tvm, and by AutoTVM itself.

mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use arco_tvm::record::{Lint, LogLines, Record, read_log};
use support::run_python;
use tempfile::TempDir;

const ZNVER2: &str = "mlp-znver2.log";
const AVX512: &str = "mlp-skylake-avx512.log";
const AUTOTVM: &str = "autotvm.log";

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/logs")
        .join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(data(name)).unwrap()
}

fn lines(name: &str) -> Vec<String> {
    text(name).lines().map(str::to_owned).collect()
}

/// A log of these lines in a folder of its own.
fn log_of(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("made.log");
    std::fs::write(&log, text).unwrap();
    (folder, log)
}

/// What the program said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn log_command(arguments: &[&str]) -> Said {
    let mut command = support::arco_tvm(Path::new("."));
    // No TVM and no Python is needed.
    command.env("PATH", "/nowhere").arg("log").args(arguments);
    let output = command.output().unwrap();
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A record's line with another cost.
fn with_costs(line: &str, costs: &str) -> String {
    let start = line.find(r#""result": [["#).unwrap() + r#""result": "#.len();
    let end = start + line[start..].find(']').unwrap();
    format!("{}[[{costs}]{}", &line[..start], &line[end + 1..])
}

#[test]
fn a_log_that_tvm_wrote_is_clean() {
    for name in [AUTOTVM, ZNVER2] {
        let said = log_command(&["lint", path(&data(name))]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.stdout.ends_with("0 errors, 0 warnings\n"), "{said:?}");
    }
}

#[test]
fn tasks_without_a_valid_record_are_a_warning() {
    let said = log_command(&["lint", path(&data(AVX512))]);
    assert_eq!(said.code, Some(0));
    let warning = "dense_pack.x86 1x64 10x64: every record is a failure (10 x RUNTIME_DEVICE)";
    assert!(said.stdout.contains(warning), "{said:?}");
}

/// What lint calls an error is what TVM's own reader stops at, and what it calls a warning is not.
#[test]
fn lint_and_tvm_agree_on_what_is_fatal() {
    let good = lines(ZNVER2);
    let first = &good[0];
    let cases = [
        ("blank", format!("{first}\n\n{}\n", good[1])),
        ("truncated", format!("{first}\n{}", &good[1][..40])),
        ("no JSON", format!("{first}\nhello\n")),
        ("another JSON", "{\"input\": 3}\n".to_owned()),
        (
            "three inputs",
            first.replace(", {}], \"config\"", "], \"config\"") + "\n",
        ),
        (
            "no code hash",
            first.replace("\"code_hash\": null, ", "") + "\n",
        ),
        ("unknown kind", first.replace("\"sp\"", "\"xx\"") + "\n"),
        (
            "unknown target",
            first.replace("llvm -keys=cpu -mcpu=znver2", "toaster") + "\n",
        ),
        ("cost that is text", with_costs(first, "\"fast\"") + "\n"),
        ("NaN", with_costs(first, "NaN") + "\n"),
        ("no cost", with_costs(first, "") + "\n"),
        ("negative", with_costs(first, "-1.0") + "\n"),
        ("no line break", first.clone()),
        ("comment", format!("# by hand\n{first}\n")),
        ("twice", format!("{first}\n{first}\n")),
        (
            "version 0.1",
            format!(
                "{}\n{first}\n",
                first.replace("\"version\": 0.2", "\"v\": 0.1")
            ),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (position, (_, text)) in cases.iter().enumerate() {
        let log = folder.path().join(format!("{position}.log"));
        std::fs::write(&log, text).unwrap();
        paths.push(log);
    }
    let reads = r"
import sys
from tvm.autotvm.record import load_from_file
for path in sys.argv[1:]:
    try:
        list(load_from_file(path))
        print('reads')
    except Exception:
        print('stops')
";
    let arguments: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let tvm = run_python(reads, &arguments);
    for (((name, _), log), tvm) in cases.iter().zip(&paths).zip(tvm.lines()) {
        let said = log_command(&["lint", path(log)]);
        let expected = if tvm == "stops" { Some(6) } else { Some(0) };
        assert_eq!(said.code, expected, "{name}: TVM {tvm}; {said:?}");
    }
}

#[test]
fn lint_names_what_tvm_would_apply_without_a_word() {
    let good = lines(ZNVER2);
    let other_cpu = good[5].replace("znver2", "znver4");
    let other_index = good[8].replacen("\"index\": ", "\"index\": 1", 1);
    let zero = with_costs(&good[2], "0.0");
    let mark = with_costs(&good[3], "1000000000.0");
    let made = [
        &good[0],
        &good[1],
        &good[0],
        &zero,
        &mark,
        &other_cpu,
        &good[8],
        &other_index,
    ];
    let made: Vec<&str> = made.into_iter().map(String::as_str).collect();
    let (_folder, log) = log_of(&(made.join("\n") + "\n"));
    let read = LogLines::read(&log).unwrap();
    let lint = Lint::of(&read);
    let found: Vec<(&str, Option<usize>)> = lint
        .findings
        .iter()
        .map(|finding| (finding.name(), finding.line()))
        .filter(|(name, _)| *name != "all-failed")
        .collect();
    assert_eq!(
        found,
        [
            ("duplicate", Some(3)),
            ("bad-cost", Some(4)),
            ("bad-cost", Some(5)),
            ("mixed-targets", Some(6)),
            ("duplicate", Some(8)),
            ("index-disagrees", Some(8)),
        ]
    );
    let said = log_command(&["lint", path(&log)]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.stdout.contains("`llvm -keys=cpu -mcpu=znver2` and `llvm -keys=cpu -mcpu=znver4`, which differ in mcpu znver2 and znver4"),
        "{said:?}"
    );
}

#[test]
fn records_of_two_vta_geometries_in_one_log_are_an_error() {
    let line = &lines(ZNVER2)[0];
    let vta = |model: &str| {
        let target = format!("ext_dev -keys=vta,cpu -device=vta -model={model}");
        line.replace("llvm -keys=cpu -mcpu=znver2", &target)
    };
    let (_folder, log) = log_of(&format!("{}\n{}\n", vta("sim_1x16x16"), vta("sim_1x32x32")));
    let said = log_command(&["lint", path(&log)]);
    assert_eq!(said.code, Some(6));
    assert!(
        said.stdout.contains("overflow the other's buffers"),
        "{said:?}"
    );
}

#[test]
fn the_clean_copy_is_clean_and_keeps_every_good_line_as_it_is() {
    let good = lines(ZNVER2);
    let slow_again = with_costs(&good[1], "0.5");
    let made = format!(
        "# kept\n{}\n\n{}\n{slow_again}\n{}\nhalf of\n{}\n{}",
        good[0],
        good[1],
        with_costs(&good[2], "-1"),
        good[3],
        &good[4][..30],
    );
    let (folder, log) = log_of(&made);
    let clean = folder.path().join("clean.log");
    let said = log_command(&["lint", path(&log), "--fix", "-o", path(&clean)]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let expected = format!("# kept\n{}\n{}\n{}\n", good[0], good[1], good[3]);
    assert_eq!(std::fs::read_to_string(&clean).unwrap(), expected);
    assert_eq!(
        std::fs::read_to_string(&log).unwrap(),
        made,
        "the input stays as it is"
    );
    let said = log_command(&["lint", path(&clean)]);
    assert!(said.stdout.ends_with("0 errors, 0 warnings\n"), "{said:?}");
}

#[test]
fn merging_copies_lines_byte_for_byte_in_order_and_drops_repetitions() {
    let folder = tempfile::tempdir().unwrap();
    let odd = lines(AUTOTVM)[0].replace(", ", ",");
    let a = folder.path().join("a.log");
    std::fs::write(&a, format!("{odd}\n{}", text(AVX512))).unwrap();
    let merged = folder.path().join("merged.log");
    let said = log_command(&[
        "merge",
        path(&a),
        path(&data(AUTOTVM)),
        path(&data(AVX512)),
        "-o",
        path(&merged),
    ]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let rest = &lines(AUTOTVM)[1..];
    let expected = format!("{odd}\n{}{}\n", text(AVX512), rest.join("\n"));
    assert_eq!(std::fs::read_to_string(&merged).unwrap(), expected);
    assert!(
        said.stderr
            .contains("84 records of 3 logs; 61 duplicates left out"),
        "{said:?}"
    );
}

#[test]
fn of_a_configuration_that_was_measured_twice_the_faster_record_stays() {
    let good = lines(AUTOTVM);
    let faster = with_costs(&good[0], "1e-9");
    let failed = good[1].replacen("], 0, ", "], 4, ", 1);
    let (folder, log) = log_of(&format!("{}\n{failed}\n{faster}\n{}\n", good[0], good[1]));
    let merged = folder.path().join("merged.log");
    log_command(&["merge", path(&log), "-o", path(&merged)]);
    let expected = format!("{faster}\n{}\n", good[1]);
    assert_eq!(std::fs::read_to_string(&merged).unwrap(), expected);
}

#[test]
fn no_command_writes_over_its_input() {
    let (folder, log) = log_of(&text(AUTOTVM));
    let link = folder.path().join("link.log");
    std::os::unix::fs::symlink(&log, &link).unwrap();
    for output in [&log, &link] {
        for command in [
            vec!["merge"],
            vec!["best"],
            vec!["lint", "--fix"],
            vec!["convert"],
        ] {
            let arguments = [&command[..], &[path(&log), "-o", path(output)]].concat();
            let said = log_command(&arguments);
            assert_eq!(said.code, Some(6), "{arguments:?}: {said:?}");
            assert!(said.stderr.contains("is one of the inputs"), "{said:?}");
        }
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap(), text(AUTOTVM));
}

#[test]
fn a_log_that_a_run_writes_to_is_not_replaced() {
    let (_folder, log) = log_of("");
    let (_run, _) = arco_tvm::record::AppendFile::open(&log).unwrap();
    let said = log_command(&["best", path(&data(AUTOTVM)), "-o", path(&log)]);
    assert_eq!(said.code, Some(6));
    assert!(said.stderr.contains("a run writes to"), "{said:?}");
}

/// The lines that `autotvm.record.pick_best` picks.
fn pick_best(log: &Path) -> BTreeSet<String> {
    let out = tempfile::NamedTempFile::new().unwrap();
    let code = "import os, sys; from tvm.autotvm.record import pick_best\n\
                os.remove(sys.argv[2]); pick_best(*sys.argv[1:])";
    run_python(code, &[log, out.path()]);
    let picked = std::fs::read_to_string(out.path()).unwrap();
    picked.lines().map(str::to_owned).collect()
}

#[test]
fn best_picks_the_lines_that_autotvm_picks() {
    let folder = tempfile::tempdir().unwrap();
    // Several targets in one log, keys shared and not, and means that differ in the last bit.
    let mixed = folder.path().join("mixed.log");
    let gpu = text(AUTOTVM).replace(
        "llvm -keys=cpu -mcpu=znver2",
        "cuda -keys=cuda,gpu -arch=sm_80 -max_num_threads=1024 -thread_warp_size=32",
    );
    let board = text(AUTOTVM).replace(
        "llvm -keys=cpu -mcpu=znver2",
        "llvm -keys=arm_cpu,cpu -device=arm_cpu -model=bcm2837 -mtriple=aarch64-linux-gnu",
    );
    let (znver2, avx512) = (text(ZNVER2), text(AVX512));
    std::fs::write(&mixed, [znver2, avx512, gpu, board].concat()).unwrap();
    let close = folder.path().join("close.log");
    let line = &lines(AUTOTVM)[0];
    let costs = [
        "0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9",
        "0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1",
    ];
    let near: String = costs
        .iter()
        .enumerate()
        .map(|(index, costs)| {
            let line = line.replace("[\"tile_k\", \"sp\", [-1, ", "[\"tile_k\", \"sp\", [-1, 9");
            with_costs(&line, costs).replacen(
                "\"sp\", [-1, ",
                &format!("\"sp\", [-1, {}", index + 1),
                1,
            ) + "\n"
        })
        .collect();
    std::fs::write(&close, near).unwrap();
    for log in [data(AUTOTVM), data(ZNVER2), data(AVX512), mixed, close] {
        let best = folder.path().join("best.log");
        let said = log_command(&["best", path(&log), "-o", path(&best)]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let ours: BTreeSet<String> = std::fs::read_to_string(&best)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        assert_eq!(ours, pick_best(&log), "{}", log.display());
        assert!(!ours.is_empty());
    }
}

#[test]
fn means_are_numpys_to_the_last_bit() {
    let line = &lines(AUTOTVM)[0];
    let mut state = 1_u64;
    let mut records = String::new();
    let mut expected = Vec::new();
    for count in [
        1, 2, 3, 7, 8, 9, 15, 16, 17, 100, 127, 128, 129, 136, 200, 257, 1000,
    ] {
        let costs: Vec<f64> = (0..count)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                1e-6 + (state >> 11) as f64 / 1e17
            })
            .collect();
        let costs: Vec<String> = costs.iter().map(|cost| format!("{cost:e}")).collect();
        let made = with_costs(line, &costs.join(", "));
        let mean = Record::from_line(&made)
            .unwrap()
            .result
            .mean_cost()
            .unwrap();
        expected.push(mean.to_bits().to_string());
        records += &(made + "\n");
    }
    let (_folder, log) = log_of(&records);
    let code = "import sys, struct, numpy\nfrom tvm.autotvm.record import load_from_file\n\
                for _, r in load_from_file(sys.argv[1]):\n \
                print(struct.unpack('<Q', struct.pack('<d', numpy.mean(r.costs)))[0])";
    let numpy = run_python(code, &[log.as_path()]);
    assert_eq!(numpy.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn of_a_configuration_that_was_measured_twice_best_takes_the_record_that_won() {
    // AutoTVM's pick_best writes the first record of the winning configuration, here a failed one.
    let good = lines(AUTOTVM);
    let failed = good[0].replacen("], 0, ", "], 4, ", 1);
    let (folder, log) = log_of(&format!("{failed}\n{}\n", good[0]));
    let best = folder.path().join("best.log");
    log_command(&["best", path(&log), "-o", path(&best)]);
    assert_eq!(
        std::fs::read_to_string(&best).unwrap(),
        format!("{}\n", good[0])
    );
}

#[test]
fn gzipped_logs_are_read_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("packed.log.gz");
    let mut file = flate2::write::GzEncoder::new(
        std::fs::File::create(&packed).unwrap(),
        flate2::Compression::fast(),
    );
    file.write_all(text(ZNVER2).as_bytes()).unwrap();
    file.finish().unwrap();
    std::fs::copy(
        data("mlp-znver2.log.journal"),
        folder.path().join("packed.log.journal"),
    )
    .unwrap();
    let out = folder.path().join("out.csv");
    for arguments in [
        vec!["lint", path(&packed)],
        vec!["best", path(&packed)],
        vec!["explain", path(&packed)],
        vec!["convert", path(&packed), "-o", path(&out)],
    ] {
        let said = log_command(&arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
    }
    let explained = log_command(&["explain", path(&packed)]).stdout;
    assert_eq!(
        explained,
        log_command(&["explain", path(&data(ZNVER2))]).stdout
    );
    let again = folder.path().join("again.log.gz");
    log_command(&["merge", path(&packed), "-o", path(&again)]);
    assert!(std::fs::read(&again).unwrap().starts_with(&[0x1f, 0x8b]));
    assert_eq!(read_log(&again).unwrap().records.len(), 96);

    let damaged = folder.path().join("damaged.log.gz");
    let bytes = std::fs::read(&packed).unwrap();
    std::fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let said = log_command(&["lint", path(&damaged)]);
    assert_eq!(said.code, Some(6));
    assert!(said.stderr.contains("damaged gzip file"), "{said:?}");
}

#[test]
fn a_log_comes_back_from_a_table_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mixed = folder.path().join("mixed.log");
    let odd = with_costs(&lines(AUTOTVM)[0], "NaN, Infinity, -1e-300")
        .replace("0.19.0", "0.18.1")
        .replace("\"sp\", [-1, 1]]", "\"ot\", \"a, \\\"b\\\"\"]");
    let made = format!("{}{}{odd}\n", text(ZNVER2), text(AUTOTVM));
    std::fs::write(&mixed, &made).unwrap();
    for table in ["t.csv", "t.jsonl", "t.csv.gz"] {
        let table = folder.path().join(table);
        let back = folder.path().join("back.log");
        let there = log_command(&["convert", path(&mixed), "-o", path(&table)]);
        assert_eq!(there.code, Some(0), "{there:?}");
        let said = log_command(&["convert", path(&table), "-o", path(&back)]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(
            std::fs::read_to_string(&back).unwrap(),
            made,
            "{}",
            table.display()
        );
    }
}

#[test]
fn a_table_that_lacks_a_column_is_refused_with_its_name() {
    let (folder, log) = log_of(&text(AUTOTVM));
    let table = folder.path().join("t.csv");
    log_command(&["convert", path(&log), "-o", path(&table)]);
    let broken = std::fs::read_to_string(&table)
        .unwrap()
        .replacen("tile_k:sp", "tile_k", 1);
    std::fs::write(&table, broken).unwrap();
    let back = folder.path().join("back.log");
    let said = log_command(&["convert", path(&table), "-o", path(&back)]);
    assert_eq!(said.code, Some(6));
    assert!(
        said.stderr
            .contains("row 1: column `tile_k:KIND` is missing"),
        "{said:?}"
    );
    assert!(!back.exists());
}

fn explained(name: &str, task: &str) -> serde_json::Value {
    let said = log_command(&["explain", path(&data(name)), "--task", task, "--json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    serde_json::from_str(&said.stdout).unwrap()
}

#[test]
fn explain_names_the_winner_what_lost_and_the_knobs_between_them() {
    let explained = explained(ZNVER2, "dense_pack.x86 1x784");
    assert_eq!(explained.as_array().unwrap().len(), 1);
    let task = &explained[0];
    let records: Vec<(usize, Record)> = read_log(&data(ZNVER2))
        .unwrap()
        .records
        .into_iter()
        .filter(|(_, record)| record.workload.label().starts_with("dense_pack.x86 1x784"))
        .collect();
    let mut costs: Vec<(f64, usize, usize)> = records
        .iter()
        .enumerate()
        .map(|(position, (line, record))| (record.result.mean_cost().unwrap(), *line, position + 1))
        .collect();
    costs.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let winner = &task["winner"];
    assert_eq!(winner["cost_s"], costs[0].0);
    assert_eq!(winner["line"], costs[0].1);
    assert_eq!(winner["trial"], costs[0].2);
    assert_eq!(winner["why"], "random");
    let second = &task["runners_up"][0];
    assert_eq!(second["line"], costs[1].1);
    assert_eq!(second["slower_by"], costs[1].0 / costs[0].0 - 1.0);
    for difference in task["differences"].as_array().unwrap() {
        let values = difference["values"].as_array().unwrap();
        assert_eq!(values.len(), 4);
        assert!(values.iter().any(|value| *value != values[0]));
    }
    assert!(task["untuned_s"].as_f64().unwrap() > costs[0].0);
    let time = &task["time"];
    assert!(time["build_s"].as_f64().unwrap() > time["run_s"].as_f64().unwrap());
    assert_eq!(task["stop"], "trials");
}

#[test]
fn explain_counts_failures_by_reason_and_shows_their_text() {
    let explained = explained(AVX512, "dense_nopack.x86 1x128");
    let task = &explained[0];
    assert!(task["winner"].is_null());
    let failures = task["failures"].as_array().unwrap();
    let counted: u64 = failures.iter().map(|f| f["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, 10);
    assert_eq!(failures[0]["error"], "RUNTIME_DEVICE");
    assert_eq!(failures[0]["reason"], "the kernel's process died");
    assert!(failures[0]["text"].as_str().unwrap().contains("RPCCode"));
    let said = log_command(&[
        "explain",
        path(&data(AVX512)),
        "--task",
        "dense_nopack.x86 1x128",
    ]);
    assert!(
        said.stdout
            .contains("no winner: 10 trials and every one failed"),
        "{said:?}"
    );
    assert!(
        said.stdout
            .contains("x RUNTIME_DEVICE: the kernel's process died"),
        "{said:?}"
    );
}

#[test]
fn explain_says_when_tvms_own_schedule_won() {
    let said = log_command(&[
        "explain",
        path(&data(ZNVER2)),
        "--task",
        "dense_nopack.x86 1x784",
    ]);
    assert!(
        said.stdout
            .contains("TVM's untuned schedule: nothing beat it"),
        "{said:?}"
    );
    assert!(said.stdout.contains("chosen as `untuned`"), "{said:?}");
}

#[test]
fn a_log_without_a_journal_is_explained_as_far_as_it_goes() {
    let said = log_command(&["explain", path(&data(AUTOTVM))]);
    assert_eq!(said.code, Some(0));
    assert!(said.stderr.contains("has no journal"), "{said:?}");
    assert!(said.stdout.contains("its 10 repeats differ by"), "{said:?}");
}

#[test]
fn a_task_that_is_not_there_and_a_file_that_is_not_there_are_told() {
    let said = log_command(&["explain", path(&data(AUTOTVM)), "--task", "conv3d"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("contains `conv3d`"), "{said:?}");
    let said = log_command(&["lint", "/nowhere/x.log"]);
    assert_eq!(said.code, Some(6));
    assert!(said.stderr.contains("/nowhere/x.log"), "{said:?}");
}
