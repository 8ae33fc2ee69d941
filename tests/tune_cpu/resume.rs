//! The same command again goes on where the log ends.

use std::fs;

use crate::session;
use crate::tuned::{NETWORK, TASKS, clean_log, copy_of_the_log, indices_by_task, tune, tuned};

#[test]
fn the_same_command_again_measures_nothing() {
    let folder = copy_of_the_log("net.log");
    let output = session::run(&tune(
        folder.path(),
        NETWORK,
        "net.log",
        &["--trials-per-task", "2", "--seed", "3"],
    ));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the log already has 22 trials"), "{said}");
    assert!(said.contains("\n0 trials in "), "{said}");
    assert_eq!(
        fs::read(folder.path().join("net.log")).unwrap(),
        fs::read(&tuned().log).unwrap()
    );
}

#[test]
fn more_trials_are_added_to_those_of_the_log_and_none_is_measured_twice() {
    let folder = copy_of_the_log("net.log");
    let output = session::run(&tune(
        folder.path(),
        NETWORK,
        "net.log",
        &["--trials-per-task", "3"],
    ));
    assert!(output.status.success());
    let path = folder.path().join("net.log");
    let before = fs::read_to_string(&tuned().log).unwrap();
    let after = fs::read_to_string(&path).unwrap();
    assert!(after.starts_with(&before), "what was there is not touched");
    let tasks = indices_by_task(&clean_log(&path));
    assert_eq!(tasks.len(), TASKS);
    assert!(
        tasks.values().all(|indices| indices.len() == 3),
        "{tasks:?}"
    );
}

#[test]
fn a_damaged_log_is_mended_and_each_line_that_is_lost_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.log");
    let whole = fs::read_to_string(&tuned().log).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    // Line 3 is blank, line 4 is of some other program, and the last line is cut in the middle.
    let (first, rest) = lines.split_at(2);
    let cut = &lines[21][..lines[21].len() / 2];
    let damaged = format!(
        "{}\n\n{{\"loss\": 0.5}}\n{}\n{cut}",
        first.join("\n"),
        rest[..19].join("\n")
    );
    fs::write(&path, &damaged).unwrap();
    let output = session::run(&tune(
        folder.path(),
        NETWORK,
        "net.log",
        &["--trials-per-task", "2", "--seed", "3"],
    ));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    for warning in [
        "warning: net.log ended in half a line (a writer was killed); it now stands in net.log.fragment\n",
        "warning: net.log, line 3 skipped: blank line\n",
        "warning: net.log, line 4 skipped: no AutoTVM record: `input` is missing or is no list of four\n",
        "the log already has 21 trials",
    ] {
        assert!(said.contains(warning), "{warning:?} is not in {said}");
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("net.log.fragment"))
            .unwrap()
            .trim_end(),
        cut
    );
    // One trial was lost with the cut line, and one is made.
    let after = fs::read_to_string(&path).unwrap();
    assert_eq!(after.lines().count(), damaged.lines().count());
    assert!(after.ends_with("}\n"));
}
