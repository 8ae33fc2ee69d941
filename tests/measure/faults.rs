//! Builders and devices that die, hang and come back while candidates are measured.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arco_tvm::measure::{Failure, Pipeline, Role};
use arco_tvm::record::ErrorNo;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::fleet::{
    Fleet, Process, Processes, TrackerServer, drive, free_port, name_of, task, turn, wait_until,
};

/// Candidates in all.
const CANDIDATES: u64 = 200;
/// A fault comes each time so many candidates are done.
const FAULT_EVERY: usize = 9;

/// A device server that registers with the tracker, and that is started anew when it is lost: somebody else's board.
struct Board {
    process: Child,
    port: u16,
}

impl Board {
    /// Starts it, and again if it is killed before it is ready.
    fn start(fleet: &Fleet, tracker: u16, port: u16) -> Self {
        let mut attempts = 0..5;
        loop {
            assert!(attempts.next().is_some(), "the board does not start");
            if let Some(board) = Self::try_start(fleet, tracker, port) {
                return board;
            }
        }
    }

    fn try_start(fleet: &Fleet, tracker: u16, port: u16) -> Option<Self> {
        let mut process = Command::new(fleet.python())
            .args([
                "-m",
                "arco_tvm.serve",
                "device",
                "--owned",
                "--quiet",
                "--key=board",
            ])
            .arg(format!("--tracker=127.0.0.1:{tracker}"))
            .arg(format!("--port={port}"))
            .env("TMPDIR", fleet.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        let mut board = Self { process, port };
        if line.contains("port") {
            return Some(board);
        }
        board.end();
        None
    }

    fn end(&mut self) {
        let _ = killpg(Pid::from_raw(self.process.id() as i32), Signal::SIGKILL);
        let _ = self.process.wait();
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whoever does harm, and repairs what is not the tuner's to repair.
struct Vandal {
    fleet: Arc<Fleet>,
    draw: ChaCha8Rng,
    tracker: Arc<Mutex<Option<TrackerServer>>>,
    tracker_port: u16,
    boards: Arc<Mutex<Vec<Board>>>,
    /// Whether a board is hurt or starting.
    mending: Arc<AtomicBool>,
    repairs: Vec<std::thread::JoinHandle<()>>,
    done: usize,
    faults: BTreeMap<String, usize>,
}

impl Vandal {
    fn after_candidate(&mut self) {
        self.done += 1;
        if self.done == CANDIDATES as usize / 2 {
            self.restart_tracker();
        } else if self.done.is_multiple_of(FAULT_EVERY) {
            self.strike();
        }
    }

    fn restart_tracker(&mut self) {
        *self
            .faults
            .entry("the tracker dies".to_owned())
            .or_default() += 1;
        drop(self.tracker.lock().unwrap().take());
        let (tracker, port) = (Arc::clone(&self.tracker), self.tracker_port);
        self.repairs.push(std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(1));
            *tracker.lock().unwrap() = Some(TrackerServer::start_at(port));
        }));
    }

    /// Kills or stops one process of the fleet, a server or a session.
    fn strike(&mut self) {
        let there = self.fleet.processes();
        let mut victims: Vec<Process> = there.running("arco_tvm.serve");
        if self.mending.load(Ordering::Acquire) {
            // One board at a time: a board that is stopped while it starts is nobody's fault but the test's.
            victims.retain(|process| !process.command.contains("board"));
        }
        // One that is only starting is waited for ninety seconds; that is another test's time.
        victims.retain(|process| {
            let is_session = there.0.iter().any(|other| other.pid == process.parent);
            is_session || !Processes(vec![process.clone()]).listening().is_empty()
        });
        let Some(victim) = victims.get(self.draw.random_range(0..victims.len().max(1))) else {
            return;
        };
        let signal = [Signal::SIGKILL, Signal::SIGSTOP][self.draw.random_range(0..2)];
        let role = ["builder", "board", "device"]
            .into_iter()
            .find(|role| victim.command.contains(role))
            .unwrap();
        let is_session = there.0.iter().any(|other| other.pid == victim.parent);
        let kind = if is_session { "session" } else { "server" };
        *self
            .faults
            .entry(format!("{signal} to a {role} {kind}"))
            .or_default() += 1;
        victim.signal(signal);
        if role == "board" {
            self.repair_board(victim);
        }
    }

    /// What a board's watchdog does after a while.
    fn repair_board(&mut self, victim: &Process) {
        let (boards, fleet) = (Arc::clone(&self.boards), Arc::clone(&self.fleet));
        let (tracker, pid) = (self.tracker_port, victim.pid);
        let parent = victim.parent;
        let mending = Arc::clone(&self.mending);
        mending.store(true, Ordering::Release);
        self.repairs.push(std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(3));
            let mut boards = boards.lock().unwrap();
            let hurt = |board: &&mut Board| {
                let id = board.process.id() as i32;
                id == pid || id == parent
            };
            if let Some(board) = boards.iter_mut().find(hurt) {
                board.end();
                *board = Board::start(&fleet, tracker, board.port);
            }
            mending.store(false, Ordering::Release);
        }));
    }
}

#[test]
fn no_measurement_is_lost_or_made_twice_while_servers_die_and_hang() {
    let _turn = turn();
    let fleet = Arc::new(Fleet::new(Duration::from_millis(5)));
    let tracker = TrackerServer::start();
    let tracker_port = tracker.address.port;
    let boards: Vec<Board> = (0..2)
        .map(|_| Board::start(&fleet, tracker_port, free_port()))
        .collect();
    let mut devices = vec![fleet.local(Role::Device, "device.log")];
    devices.extend((0..2).map(|_| tracker.device("board", Duration::from_secs(8))));
    let mut options = fleet.options(fleet.builders(2), devices);
    options.run.limit = Duration::from_secs(2);
    options.build.limit = Duration::from_secs(2);
    let mut vandal = Vandal {
        fleet: Arc::clone(&fleet),
        draw: ChaCha8Rng::seed_from_u64(16),
        tracker: Arc::new(Mutex::new(Some(tracker))),
        tracker_port,
        boards: Arc::new(Mutex::new(boards)),
        mending: Arc::new(AtomicBool::new(false)),
        repairs: Vec::new(),
        done: 0,
        faults: BTreeMap::new(),
    };
    let mut failures: Vec<(u64, Failure)> = Vec::new();
    let task = task();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut pipeline = Pipeline::start(&options).await.unwrap();
        drive(
            &mut pipeline,
            &task,
            0..CANDIDATES,
            16,
            |id, measurement| {
                if let Err(failure) = &measurement.outcome {
                    failures.push((id.0, failure.clone()));
                }
                vandal.after_candidate();
            },
        )
        .await;
        assert!(pipeline.lost().is_none(), "{:?}", pipeline.lost());
        pipeline.shut_down().await;
    });
    runtime.shutdown_background();
    for repair in vandal.repairs {
        repair.join().unwrap();
    }
    let faults: usize = vandal.faults.values().sum();
    assert!(faults >= 20, "{:?}", vandal.faults);

    // A fault costs at most the candidate that it hit.
    assert!(
        failures.len() <= faults,
        "{failures:?}\n{:?}",
        vandal.faults
    );
    let expected = [
        ErrorNo::RuntimeDevice,
        ErrorNo::BuildTimeout,
        ErrorNo::RunTimeout,
    ];
    for (_, failure) in &failures {
        assert!(expected.contains(&failure.error_no), "{failure:?}");
        assert!(!failure.text.is_empty());
    }
    let measured = fleet.measured();
    for index in 0..CANDIDATES {
        let name = name_of(index);
        let found: Vec<usize> = measured
            .iter()
            .filter(|(measured, _)| measured.ends_with(&name))
            .map(|(_, &times)| times)
            .collect();
        let times: usize = found.iter().sum();
        let failed = failures.iter().any(|(failed, _)| *failed == index);
        assert!(times <= 1, "{index} was measured {times} times");
        assert!(
            failed || times == 1,
            "{index} has a time and was never measured"
        );
    }

    vandal.boards.lock().unwrap().clear();
    let gone = || fleet.processes().0.is_empty();
    assert!(
        wait_until(Duration::from_secs(5), gone),
        "{:?}",
        fleet.processes()
    );
}
