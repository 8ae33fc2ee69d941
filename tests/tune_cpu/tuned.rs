//! A small network tuned once; every test that only looks at the log shares it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use arco_tvm::record::{Log, read_log};
use tempfile::TempDir;

use crate::{session, support};

/// The network: convolutions and a dense layer, 11 tasks.
pub const NETWORK: &str = "resnet-8";
/// Its tasks.
pub const TASKS: usize = 11;
/// This machine's CPU, so that what is built also runs.
pub const TARGET: &str = "llvm -mcpu=native";

/// A run's output.
pub struct Tuned {
    /// The log.
    pub log: PathBuf,
    /// Standard output: the table.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    _folder: TempDir,
}

/// `arco-tvm` in `folder` with the Python that hosts TVM.
pub fn arco_tvm(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = support::arco_tvm(folder);
    command
        .args(arguments)
        .env("ARCO_PYTHON", support::python());
    command
}

/// `arco-tvm tune` with the least that a measurement can be, and these arguments.
pub fn tune(folder: &Path, network: &str, log: &str, arguments: &[&str]) -> Command {
    let quick = [
        "tune",
        network,
        "--target",
        TARGET,
        "-o",
        log,
        "--number",
        "1",
        "--repeat",
        "1",
        "--cooldown",
        "0",
    ];
    arco_tvm(folder, &[&quick, arguments].concat())
}

/// The network after two trials of each task.
pub fn tuned() -> &'static Tuned {
    static TUNED: OnceLock<Tuned> = OnceLock::new();
    TUNED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let output = session::run(&tune(
            folder.path(),
            NETWORK,
            "net.log",
            &["--trials-per-task", "2", "--seed", "3"],
        ));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}", text(&output.stderr));
        Tuned {
            log: folder.path().join("net.log"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            _folder: folder,
        }
    })
}

/// Copies the shared log into a folder of its own.
pub fn copy_of_the_log(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(&tuned().log, folder.path().join(name)).unwrap();
    folder
}

/// A log without anything that had to be skipped.
pub fn clean_log(path: &Path) -> Log {
    let log = read_log(path).unwrap();
    assert!(log.skipped.is_empty(), "{:?}", log.skipped);
    log
}

/// Indices of the configurations of each task, by the task's name and arguments; none may be there twice.
pub fn indices_by_task(log: &Log) -> BTreeMap<String, BTreeSet<u64>> {
    let mut tasks: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for (line, record) in &log.records {
        let task = format!("{} {}", record.workload.name, record.workload.args);
        let new = tasks.entry(task).or_default().insert(record.config.index.0);
        assert!(new, "line {line} measures a configuration once more");
    }
    tasks
}

#[test]
fn a_run_writes_a_record_for_every_trial_of_every_task() {
    let log = clean_log(&tuned().log);
    let tasks = indices_by_task(&log);
    assert_eq!(tasks.len(), TASKS, "{tasks:?}");
    assert!(
        tasks.values().all(|indices| indices.len() == 2),
        "{tasks:?}"
    );
    let valid = log
        .records
        .iter()
        .filter(|(_, record)| record.result.mean_cost().is_some())
        .count();
    assert!(valid > TASKS, "{valid} of {} are valid", log.records.len());
}

#[test]
fn a_run_ends_with_a_table_of_tasks_and_names_the_next_command() {
    let lines: Vec<&str> = tuned().stdout.lines().collect();
    assert!(
        lines[0].contains("task") && lines[0].contains("best"),
        "{}",
        lines[0]
    );
    assert_eq!(lines.len(), 1 + TASKS, "{}", tuned().stdout);
    let next = "next: arco-tvm verify resnet-8 --target 'llvm -mcpu=native' --log net.best.log";
    assert!(tuned().stderr.contains(next), "{}", tuned().stderr);
}
