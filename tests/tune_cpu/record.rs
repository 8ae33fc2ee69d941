//! One task's space, measured for `replay`.

use std::fs;

use arco_tvm::measure::recorded::{ReadOptions, read};

use crate::tuned::{TARGET, arco_tvm, clean_log};
use crate::{session, support};

#[test]
fn a_sample_of_a_task_is_recorded_goes_on_and_is_replayed_with_autotvms_indices() {
    let folder = tempfile::tempdir().unwrap();
    let record = |sample: &str| {
        let arguments = [
            "record",
            "mlp",
            "--target",
            TARGET,
            "--task",
            "1",
            "--sample",
            sample,
            "-o",
            "one.log",
            "--number",
            "1",
            "--repeat",
            "1",
            "--cooldown",
            "0",
        ];
        let output = session::run(&arco_tvm(folder.path(), &arguments));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("replay it: arco-tvm replay one.log"),
            "{said}"
        );
    };
    record("4");
    let path = folder.path().join("one.log");
    let first = fs::read_to_string(&path).unwrap();
    record("6");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&first), "what was there is not touched");
    assert_eq!(text.matches("# arco-tvm space").count(), 1);
    let log = clean_log(&path);
    assert_eq!(log.records.len(), 6);

    let recording = read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(recording.notes, Vec::<String>::new());
    let space = &recording.spaces[0];
    assert_eq!(space.configurations(), 6);
    assert!(
        space.space.range_length() > 6,
        "the whole space is declared"
    );
    for (_, record) in &log.records {
        assert_eq!(
            space.space.find(&record.config).unwrap(),
            record.config.index
        );
        let evaluation = space.evaluate(record.config.index);
        assert_eq!(evaluation.cost.ok(), record.result.mean_cost());
    }
    let arguments = [
        "replay",
        "one.log",
        "--strategy",
        "gbt-16,random",
        "--seeds",
        "3",
    ];
    let output = session::run(&arco_tvm(folder.path(), &arguments));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && table.starts_with("one: 6 configurations"),
        "{table}"
    );

    // The comment is nothing to AutoTVM.
    let script = "
import sys
from arco_tvm import compat
from tvm import autotvm, relay
print(len(list(autotvm.record.load_from_file(sys.argv[1]))))
";
    assert_eq!(support::run_python(script, &[&path]).trim(), "6");
}

#[test]
fn a_task_that_is_none_or_several_is_answered_with_the_list() {
    let folder = tempfile::tempdir().unwrap();
    for (task, message) in [
        ("dense", "tasks have `dense` in their names"),
        ("99", "no task is called `99`"),
    ] {
        let arguments = [
            "record", "mlp", "--target", TARGET, "--task", task, "-o", "one.log",
        ];
        let output = session::run(&arco_tvm(folder.path(), &arguments));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains(message) && said.contains("\n  1 dense"),
            "{said}"
        );
    }
}
