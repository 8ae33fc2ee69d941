//! Runs that are stopped or killed leave whole lines and no process, and go on later.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::session::{Session, wait_until};
use crate::tuned::{NETWORK, clean_log, indices_by_task, tune};

/// A run that has measured something and is far from its end.
fn run_in_the_middle() -> (TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::start(&tune(
        folder.path(),
        NETWORK,
        "net.log",
        &["--trials-per-task", "60"],
    ));
    wait_until("a first record", || lines(folder.path()) > 0);
    (folder, session)
}

fn lines(folder: &Path) -> usize {
    fs::read_to_string(folder.join("net.log")).map_or(0, |log| log.lines().count())
}

#[test]
fn ctrl_c_ends_the_run_after_what_is_in_flight() {
    let (folder, session) = run_in_the_middle();
    session.signal(Signal::SIGINT);
    let output = session.finish();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(
        said.contains("the same command goes on from here"),
        "{said}"
    );
    let log = clean_log(&folder.path().join("net.log"));
    assert!(!log.records.is_empty() && log.records.len() < 11 * 60);
}

#[test]
fn a_killed_run_leaves_no_process_and_the_same_command_goes_on() {
    let (folder, session) = run_in_the_middle();
    session.signal(Signal::SIGKILL);
    assert_eq!(session.finish().status.code(), None, "it was killed");
    let log = folder.path().join("net.log");
    let before = clean_log(&log).records.len();
    assert!(before > 0);

    let trials = (before + 3).to_string();
    let output = crate::session::run(&tune(
        folder.path(),
        NETWORK,
        "net.log",
        &["--trials", &trials],
    ));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let after = clean_log(&log);
    indices_by_task(&after);
    assert!(after.records.len() >= before + 3, "{said}");
}
