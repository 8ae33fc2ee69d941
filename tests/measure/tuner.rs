//! The program on a small network, with stand-ins for what compiles and runs.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use arco_tvm::record::read_log;
use arco_tvm::tuning::{Event, read_journal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fleet::{Fleet, listening_sockets, wait_until};
use crate::support;

/// A run of `arco-tvm tune`.
pub struct Tuner {
    process: Child,
    log: PathBuf,
    errors: PathBuf,
}

impl Tuner {
    /// Starts it.
    pub fn start(fleet: &Fleet, trials_per_task: usize) -> Self {
        let log = fleet.path().join("mlp.log");
        let errors = fleet.path().join("stderr");
        let process = support::arco_tvm(fleet.path())
            .args(["tune", "mlp", "--target", "llvm", "--strategy", "random"])
            .args(["--cooldown=0", "--number=1", "--repeat=1", "--builders=1"])
            .arg(format!("--trials-per-task={trials_per_task}"))
            .arg("--output")
            .arg(&log)
            .arg("--python")
            .arg(fleet.python())
            .env("ARCO_TEST_FLEET", fleet.path())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        Self {
            process,
            log,
            errors,
        }
    }

    /// Waits until it has measured something: TVM's untuned schedules come first.
    pub fn wait_for_measurement(&mut self) {
        let measured = || {
            // There is none before it starts.
            let events = read_journal(&self.log).unwrap_or_default();
            events
                .iter()
                .any(|event| matches!(event, Event::Untuned { .. }))
        };
        assert!(
            wait_until(Duration::from_secs(60), measured),
            "{}",
            self.said()
        );
    }

    /// Trials that its journal has.
    pub fn journalled(&self) -> Vec<String> {
        read_journal(&self.log)
            .unwrap()
            .into_iter()
            .filter_map(|event| match event {
                Event::Trial { record, .. } => Some(record),
                _ => None,
            })
            .collect()
    }

    /// Waits until its journal has so many trials.
    pub fn wait_for_trials(&mut self, trials: usize) {
        let found = wait_until(Duration::from_secs(60), || {
            self.journalled().len() >= trials || self.process.try_wait().unwrap().is_some()
        });
        let ended = self.process.try_wait().unwrap();
        assert!(found && ended.is_none(), "{ended:?}: {}", self.said());
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id() as i32), signal).unwrap();
    }

    /// Waits for its end.
    pub fn wait(&mut self, limit: Duration) -> (ExitStatus, Duration) {
        let start = Instant::now();
        let ended = wait_until(limit, || self.process.try_wait().unwrap().is_some());
        assert!(ended, "it goes on: {}", self.said());
        (self.process.wait().unwrap(), start.elapsed())
    }

    /// What it said on standard error.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap()
    }

    /// The lines of its log; fails when one is no record. A run that finished nothing leaves no log.
    pub fn logged(&self) -> Vec<String> {
        if !self.log.exists() {
            return Vec::new();
        }
        let log = read_log(&self.log).unwrap();
        assert!(log.skipped.is_empty(), "{:?}", log.skipped);
        let text = std::fs::read_to_string(&self.log).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Tuner {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Fails when a process of the fleet is left after a moment.
pub fn nothing_is_left(fleet: &Fleet) {
    let gone = || fleet.processes().0.is_empty();
    assert!(
        wait_until(Duration::from_secs(8), gone),
        "{:?}",
        fleet.processes()
    );
}

/// Fails if one of these sockets goes on listening. The threads of a killed process may hold it a moment longer.
pub fn no_port_is_left(sockets: &BTreeSet<String>) {
    let closed = || sockets.is_disjoint(&listening_sockets());
    assert!(
        wait_until(Duration::from_secs(8), closed),
        "a port is left open"
    );
}
