//! A TVM RPC server on this machine: started, watched, replaced, and ended with its whole process group.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use super::cores::CoreSet;
use super::python_host::PythonHost;

/// How long a server may take to import TVM and listen.
const START_LIMIT: Duration = Duration::from_secs(90);

/// How long a server that has closed its output may take to end.
const END_LIMIT: Duration = Duration::from_secs(5);

/// What a server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Imports models, extracts tasks, compiles networks (`arco.tasks`, `arco.verify`).
    Frontend,
    /// Builds candidates (`arco.build`).
    Builder,
    /// Runs what it is sent.
    Device,
}

impl Role {
    /// The name that `python -m arco_tvm.serve` knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frontend => "frontend",
            Self::Builder => "builder",
            Self::Device => "device",
        }
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The process could not be started.
    #[error("cannot start a {role} server with {python}: {source}", role = role.name(), python = python.display())]
    Spawn {
        /// What it was to be.
        role: Role,
        /// The interpreter.
        python: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The process ended or said something else than its port.
    #[error("the {role} server ended before it was ready: {tail}", role = role.name())]
    Ended {
        /// What it was to be.
        role: Role,
        /// The end of its error output.
        tail: String,
        /// Whether it ended of its own accord: then it would do so again. Else something killed it.
        of_itself: bool,
    },
    /// It took too long.
    #[error("the {role} server was not ready after {} s: {tail}", START_LIMIT.as_secs(), role = role.name())]
    Slow {
        /// What it was to be.
        role: Role,
        /// The end of its error output.
        tail: String,
    },
}

/// A running server. Dropping it ends its process group.
#[derive(Debug)]
pub struct LocalServer {
    role: Role,
    port: u16,
    child: Child,
    /// The server ends itself when this pipe closes, so it cannot outlive us even if we are killed.
    _owner_pipe: Option<ChildStdin>,
}

#[derive(Deserialize)]
struct Ready {
    port: u16,
}

impl LocalServer {
    /// Starts a server on 127.0.0.1 at a free port, on these cores. What it prints goes to `log`.
    ///
    /// # Errors
    /// When the process cannot start, ends at once, or is not ready in time.
    pub async fn start(
        host: &PythonHost,
        role: Role,
        log: &Path,
        cores: Option<&CoreSet>,
    ) -> Result<Self, ServerError> {
        let spawned = |source| ServerError::Spawn {
            role,
            python: host.python.clone(),
            source,
        };
        let errors = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(spawned)?;
        let mut child = Command::new(&host.python)
            .args(["-m", "arco_tvm.serve", role.name(), "--owned"])
            .args(cores.map(|cores| format!("--cores={cores}")))
            .args(
                host.imports
                    .iter()
                    .map(|module| format!("--import={module}")),
            )
            .args(load_library(host, role))
            .envs(library_of_servers())
            .envs(kernel_caches(log))
            .env("TOPHUB_LOCATION", "NONE")
            .env("PYTHONUNBUFFERED", "1")
            // What it leaves behind when it is killed goes with our own folder.
            .env("TMPDIR", log.parent().unwrap_or(Path::new("/tmp")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(spawned)?;
        let owner_pipe = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let mut server = Self {
            role,
            port: 0,
            child,
            _owner_pipe: owner_pipe,
        };
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout);
        let read = tokio::time::timeout(START_LIMIT, stdout.read_line(&mut line)).await;
        let tail = || tail_of(log);
        if read.is_err() {
            return Err(ServerError::Slow { role, tail: tail() });
        }
        let Ok(Ready { port }) = serde_json::from_str(&line) else {
            let status = tokio::time::timeout(END_LIMIT, server.child.wait()).await;
            return Err(ServerError::Ended {
                role,
                tail: tail(),
                of_itself: matches!(status, Ok(Ok(status)) if status.code().is_some()),
            });
        };
        server.port = port;
        Ok(server)
    }

    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What it is for.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The process, which leads a group of its own; `None` once it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether the process is still there.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends the server and everything it started.
    pub async fn stop(mut self) {
        self.kill_group();
        let _ = self.child.wait().await;
    }

    fn kill_group(&self) {
        // The id is the child's own until it is reaped, and it leads its group.
        if let Some(pid) = self.child.id() {
            let _ = killpg(Pid::from_raw(pid as i32), Signal::SIGKILL);
        }
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// Where servers find `libarco_tvm.so`: beside this program, unless the user names another.
pub fn library_of_servers() -> Option<(&'static str, PathBuf)> {
    const NAME: &str = "ARCO_TVM_LIBRARY";
    if std::env::var_os(NAME).is_some() {
        return None;
    }
    let beside = std::env::current_exe()
        .ok()?
        .with_file_name("libarco_tvm.so");
    beside.is_file().then_some((NAME, beside))
}

/// The libraries that a server loads in each session; a builder needs no device.
fn load_library(host: &PythonHost, role: Role) -> Option<String> {
    if role == Role::Builder || host.libraries.is_empty() {
        return None;
    }
    let paths: Vec<String> = host
        .libraries
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Some(format!("--load-library={}", paths.join(":")))
}

/// Drivers keep the kernels that they compile in the user's home. Those of candidates are of no use to anybody later, and
/// there are thousands: they go where everything of our servers goes, unless the user has chosen a place.
fn kernel_caches(log: &Path) -> Vec<(&'static str, PathBuf)> {
    let folder = log.parent().unwrap_or(Path::new("/tmp"));
    // PoCL's, and that of NVIDIA's driver (OpenCL and CUDA).
    [("POCL_CACHE_DIR", "pocl"), ("CUDA_CACHE_PATH", "nv")]
        .into_iter()
        .filter(|(name, _)| std::env::var_os(name).is_none())
        .map(|(name, place)| (name, folder.join(place)))
        .collect()
}

/// The last lines of a server's log, for an error message.
pub(super) fn tail_of(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    match lines.len() {
        0 => format!("it printed nothing ({})", log.display()),
        n => lines[n.saturating_sub(3)..].join(" | "),
    }
}
