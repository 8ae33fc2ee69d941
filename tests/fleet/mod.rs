//! A fleet for tests of the measurement: real builder and device servers and a real tracker, of which nothing is
//! replaced but what a builder compiles and what a device runs.
#![allow(dead_code, unused_imports, reason = "each test uses its own part")]

mod drive;
mod processes;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arco_tvm::measure::{
    BuildOptions, Candidate, CoreSharing, Endpoint, PipelineOptions, PythonHost, Role, RunOptions,
    TrackerAddress,
};
use arco_tvm::task::{ConfigSpace, Entity, Knob, KnobKind, Task, Workload};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use tvm_rt::{DeviceType, Tvm};

pub use drive::{Usage, drive};
pub use processes::{Process, Processes, listening_sockets, wait_until};

use crate::support;

/// Tests of processes and times take turns.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder with all that a fleet needs. Every process of the fleet can be told by the folder's name in its
/// environment.
pub struct Fleet {
    folder: TempDir,
    host: PythonHost,
}

impl Fleet {
    /// A fleet whose kernels take this time.
    pub fn new(kernel: Duration) -> Self {
        let folder = tempfile::Builder::new().prefix("fleet-").tempdir().unwrap();
        let library = folder.path().join("kernel.so");
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(here.join("kernel.c"))
            .status()
            .unwrap();
        assert!(compiled.success());
        let real = support::python();
        // A Python whose builders import the stand-in.
        let python = folder.path().join("python");
        let script = format!(
            "#!/bin/sh\n\
             export PYTHONPATH='{packages}:{here}' TOPHUB_LOCATION=NONE PYTHONDONTWRITEBYTECODE=1\n\
             export ARCO_TEST_LIBRARY='{library}' ARCO_TEST_RUNS='{runs}' ARCO_TEST_SLEEP_US={us} ARCO_TEST_FLEET='{folder}'\n\
             if [ \"$2 $3\" = 'arco_tvm.serve builder' ]; then exec '{real}' \"$@\" --import stand_ins; fi\n\
             exec '{real}' \"$@\"\n",
            packages = support::packages().display(),
            here = here.display(),
            library = library.display(),
            runs = folder.path().join("runs").display(),
            us = kernel.as_micros(),
            folder = folder.path().display(),
            real = real.display(),
        );
        std::fs::write(&python, script).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&python, executable).unwrap();
        let host = PythonHost::find(Some(&python)).unwrap();
        Tvm::load(&host.libtvm).unwrap();
        Self { folder, host }
    }

    /// The fleet's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The Python of its servers.
    pub fn python(&self) -> &Path {
        &self.host.python
    }

    /// A server on this machine.
    pub fn local(&self, role: Role, name: &str) -> Endpoint {
        Endpoint::Local {
            host: self.host.clone(),
            role,
            log: self.folder.path().join(name),
            cores: None,
        }
    }

    /// Builders on this machine.
    pub fn builders(&self, count: usize) -> Vec<Endpoint> {
        (0..count)
            .map(|b| self.local(Role::Builder, &format!("builder-{b}.log")))
            .collect()
    }

    /// Devices on this machine.
    pub fn devices(&self, count: usize) -> Vec<Endpoint> {
        (0..count)
            .map(|d| self.local(Role::Device, &format!("device-{d}.log")))
            .collect()
    }

    /// A pipeline that times each kernel with one run (TVM runs it once more before it looks at the clock).
    pub fn options(&self, builders: Vec<Endpoint>, devices: Vec<Endpoint>) -> PipelineOptions {
        PipelineOptions {
            builders,
            build: BuildOptions {
                limit: Duration::from_secs(10),
                cross_compiler: None,
                gpu_limits: None,
            },
            devices,
            run: RunOptions {
                number: 1,
                repeat: 1,
                min_repeat_ms: 0,
                cooldown: Duration::ZERO,
                flush_cpu_cache: false,
                limit: Duration::from_secs(10),
                setup: Vec::new(),
                computed: false,
            },
            device_type: DeviceType::CPU,
            sharing: CoreSharing::Separate,
        }
    }

    /// How often each candidate was measured to the end, by its name in the kernel's notes.
    ///
    /// Of the two runs of a measurement the first is TVM's own.
    pub fn measured(&self) -> BTreeMap<String, usize> {
        let text = std::fs::read_to_string(self.folder.path().join("runs")).unwrap_or_default();
        let mut ends: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in text.lines() {
            if let [what, name, session] = line.split(' ').collect::<Vec<_>>()[..]
                && what == "end"
            {
                *ends.entry((name, session)).or_default() += 1;
            }
        }
        let mut measured = BTreeMap::new();
        for ((name, _), ends) in ends {
            *measured.entry(name.to_owned()).or_default() += ends / 2;
        }
        measured
    }

    /// Measurements of candidates that had been measured before.
    ///
    /// TVM's untuned schedules, which every run times, have no index and do not count.
    pub fn measured_again(&self) -> usize {
        self.measured()
            .iter()
            .filter(|(name, _)| !name.ends_with(NO_INDEX))
            .map(|(_, times)| times.saturating_sub(1))
            .sum()
    }

    /// All processes of this fleet.
    pub fn processes(&self) -> Processes {
        Processes::with_environment(&format!("ARCO_TEST_FLEET={}", self.folder.path().display()))
    }
}

/// What stands in a candidate's name where it has no configuration.
const NO_INDEX: &str = "ffffffff";

/// A task with a million configurations.
pub fn task() -> Arc<Task> {
    let knob = |name: &str| {
        let values = (0..100).map(|v| Entity::Other(v.into())).collect();
        Knob::new(name, KnobKind::Other, values).unwrap()
    };
    let knobs = ["a", "b", "c"].map(knob).to_vec();
    Arc::new(Task {
        workload: Workload {
            target: "llvm -keys=cpu".to_owned(),
            name: "fleet".to_owned(),
            args: serde_json::json!([]),
        },
        host: None,
        flop: None,
        weight: 1,
        group: 0,
        space: ConfigSpace::new(knobs).unwrap(),
    })
}

/// Configuration `index` of a task.
pub fn candidate(task: &Arc<Task>, index: u64) -> Candidate {
    Candidate {
        task: Arc::clone(task),
        config: Some(task.space.get(arco_tvm::task::ConfigIndex(index)).unwrap()),
    }
}

/// The end of the name that a candidate with this index has in the kernel's notes.
pub fn name_of(index: u64) -> String {
    format!("{index:08x}")
}

/// A port of this machine at which nobody listens: of a listener that is gone again, so nobody else is given it soon.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// TVM's own tracker, in a process of its own.
pub struct TrackerServer {
    process: Child,
    /// Where it listens.
    pub address: TrackerAddress,
}

impl TrackerServer {
    /// Starts a tracker at a free port.
    pub fn start() -> Self {
        Self::start_at(free_port())
    }

    /// Starts a tracker that whoever reaches this machine can reach.
    pub fn start_open() -> Self {
        Self::start_on("0.0.0.0", free_port())
    }

    /// Starts a tracker at this port and waits until it listens.
    pub fn start_at(port: u16) -> Self {
        Self::start_on("127.0.0.1", port)
    }

    fn start_on(address: &str, port: u16) -> Self {
        let process = support::command(support::python())
            .args(["-m", "tvm.exec.rpc_tracker", "--silent"])
            .arg(format!("--host={address}"))
            .arg(format!("--port={port}"))
            .arg(format!("--port-end={}", port + 1))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What listens is a child of this process, and outlives it.
            .process_group(0)
            .spawn()
            .unwrap();
        let listens = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        assert!(wait_until(Duration::from_secs(30), listens), "no tracker");
        let host = "127.0.0.1".to_owned();
        Self {
            process,
            address: TrackerAddress { host, port },
        }
    }

    /// A device from it.
    pub fn device(&self, key: &str, lease: Duration) -> Endpoint {
        self.device_within(key, lease, Duration::from_secs(30))
    }

    /// A device from it that is given up when there is none for so long.
    pub fn device_within(&self, key: &str, lease: Duration, patience: Duration) -> Endpoint {
        Endpoint::Tracker {
            address: self.address.clone(),
            key: key.to_owned(),
            patience,
            lease,
        }
    }
}

impl Drop for TrackerServer {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.process.id() as i32), Signal::SIGKILL);
        let _ = self.process.wait();
    }
}

/// Device servers at a tracker, each in a process of its own.
pub struct DeviceServers {
    process: Child,
    _input: ChildStdin,
}

impl DeviceServers {
    /// Starts them and waits until they are forked; they register a moment later.
    pub fn start(fleet: &Fleet, tracker: &TrackerServer, key: &str, count: usize) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet/devices.py");
        let log = std::fs::File::create(fleet.path().join("devices.log")).unwrap();
        let mut process = Command::new(fleet.python())
            .arg(script)
            .arg(tracker.address.port.to_string())
            .args([key, &count.to_string()])
            .env("TMPDIR", fleet.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let input = process.stdin.take().unwrap();
        Self {
            process,
            _input: input,
        }
    }
}

impl Drop for DeviceServers {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
