//! No room left for the log or the journal: the run ends and says what to do, nothing is damaged, and the same command
//! goes on when there is room again.
//!
//! What stands for the full disk is a limit on the size of files that a run meets while it goes on (`prlimit`): the
//! system then takes a part of a line, as it does with the last block of a disk.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use arco_tvm::record::Record;

use crate::fleet::{Fleet, turn};
use crate::tuner::{Tuner, nothing_is_left};

const TRIALS_PER_TASK: usize = 8;

/// Lets files of a run grow to so many bytes from now on.
fn limit_files(tuner: &Tuner, bytes: u64) {
    let limited = Command::new("prlimit")
        .arg(format!("--pid={}", tuner.pid()))
        .arg(format!("--fsize={bytes}:{bytes}"))
        .status()
        .expect("util-linux has prlimit");
    assert!(limited.success());
}

/// Runs into the limit with the file of `full`, and then without.
fn runs_out_of_room(fleet: &Fleet, full: &Path) {
    let mut tuner = Tuner::start(fleet, TRIALS_PER_TASK);
    tuner.wait_for_trials(3);
    // Room for one line and a half, or so.
    let there = std::fs::metadata(full).unwrap().len();
    limit_files(&tuner, there + 700);
    let (status, _) = tuner.wait(Duration::from_secs(30));
    assert_eq!(status.code(), Some(6), "{}", tuner.said());
    let said = tuner.said();
    assert!(
        said.contains(&format!("cannot append to {}", full.display())),
        "{said}"
    );
    assert!(
        said.contains("make room and give the same command again"),
        "{said}"
    );
    nothing_is_left(fleet);
    // Reads every line, too.
    let before = tuner.logged();
    assert!(std::fs::read(full).unwrap().ends_with(b"\n"));

    let mut tuner = Tuner::start(fleet, TRIALS_PER_TASK);
    let (status, _) = tuner.wait(Duration::from_secs(60));
    assert_eq!(status.code(), Some(0), "{}", tuner.said());
    let logged = tuner.logged();
    assert_eq!(logged[..before.len()], before);
    let records: Vec<Record> = logged
        .iter()
        .filter(|line| !line.starts_with('#'))
        .map(|line| Record::from_line(line).unwrap())
        .collect();
    assert_eq!(records.len(), 6 * TRIALS_PER_TASK);
    let distinct: HashSet<String> = records.iter().map(Record::key).collect();
    assert_eq!(distinct.len(), records.len());
    for line in &tuner.journalled() {
        assert!(logged.contains(line), "finished and not in the log: {line}");
    }
    // The one that found no room, and one that was on the device then.
    let twice = fleet.measured_again();
    assert!(twice <= 2, "{twice} candidates were measured twice");
}

#[test]
fn a_run_that_has_no_room_for_its_journal_goes_on_later() {
    let _turn = turn();
    let fleet = Fleet::new(Duration::from_millis(30));
    runs_out_of_room(&fleet, &fleet.path().join("mlp.log.journal"));
}

#[test]
fn a_run_that_has_no_room_for_its_log_goes_on_later() {
    let _turn = turn();
    let fleet = Fleet::new(Duration::from_millis(30));
    let log = fleet.path().join("mlp.log");
    // The log is the larger file, so it meets the limit first.
    std::fs::write(&log, format!("# {}\n", "a comment ".repeat(20_000))).unwrap();
    runs_out_of_room(&fleet, &log);
}
