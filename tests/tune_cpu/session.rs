//! Commands in a session of their own, so that a test can see what they leave running.

use std::ffi::OsStr;
use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A command and every process that it started, however deep, and whatever process groups they made for themselves.
pub struct Session {
    child: Option<Child>,
    id: u32,
}

impl Session {
    /// Starts the command with its output piped.
    pub fn start(command: &Command) -> Self {
        // `setsid` becomes the command, so its process id is the session's.
        let mut session = Command::new("setsid");
        session.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            session.current_dir(folder);
        }
        let child = session
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            id: child.id(),
            child: Some(child),
        }
    }

    /// Sends a signal to the command itself, as a terminal or the system would.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.id.cast_signed()), signal).unwrap();
    }

    /// Standard output of the command, for reading what it says while it runs.
    pub fn stdout(&mut self) -> std::process::ChildStdout {
        self.child.as_mut().unwrap().stdout.take().unwrap()
    }

    /// Waits until the command ends, and fails the test if anything that it started is still there soon after.
    pub fn finish(mut self) -> Output {
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while !self.processes().is_empty() {
            assert!(
                Instant::now() < end,
                "left running: {:?}\n{}",
                self.processes(),
                String::from_utf8_lossy(&output.stderr)
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        output
    }

    /// The session's processes: id and command line. Those that have ended and wait for their parent do not count.
    fn processes(&self) -> Vec<(i32, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(id) = entry.file_name().to_string_lossy().parse::<i32>() else {
                continue;
            };
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
                continue;
            };
            // proc(5): "pid (name) state ppid pgrp session ...", and the name may have spaces and brackets in it.
            let fields: Vec<&str> = stat
                .rsplit_once(')')
                .map_or("", |(_, rest)| rest)
                .split_whitespace()
                .collect();
            if fields.get(3) == Some(&self.id.to_string().as_str()) && fields[0] != "Z" {
                let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                found.push((id, String::from_utf8_lossy(&line).replace('\0', " ")));
            }
        }
        found
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for (id, _) in self.processes() {
            // It may have ended in between.
            let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }
}

/// Runs the command to its end in a session of its own; nothing of it may be left then.
pub fn run(command: &Command) -> Output {
    Session::start(command).finish()
}

/// Waits until the condition holds; fails the test if it does not within three minutes.
pub fn wait_until(what: impl AsRef<OsStr>, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(180);
    while !condition() {
        assert!(Instant::now() < end, "waited in vain: {:?}", what.as_ref());
        std::thread::sleep(Duration::from_millis(50));
    }
}
