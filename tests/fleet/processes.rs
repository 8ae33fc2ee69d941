//! Processes as the kernel lists them: who is there, who listens, and signals to them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Who started it.
    pub parent: i32,
    /// Its command line, words separated by spaces.
    pub command: String,
}

/// Some processes.
#[derive(Clone, Debug)]
pub struct Processes(pub Vec<Process>);

impl Processes {
    /// Every living process that was started with this in its environment, by whoever.
    pub fn with_environment(entry: &str) -> Self {
        let mut found = Vec::new();
        for folder in std::fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = folder
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            // A process that ends meanwhile is none.
            let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap_or_default();
            let environment = read("environ");
            if !environment
                .split(|&b| b == 0)
                .any(|e| e == entry.as_bytes())
            {
                continue;
            }
            let stat = String::from_utf8_lossy(&read("stat")).into_owned();
            // The name in parentheses may have spaces.
            let mut fields = stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .split_whitespace();
            let (state, parent) = (fields.next(), fields.next());
            if state == Some("Z") {
                continue;
            }
            found.push(Process {
                pid,
                parent: parent.and_then(|parent| parent.parse().ok()).unwrap_or(0),
                command: String::from_utf8_lossy(&read("cmdline")).replace('\0', " "),
            });
        }
        found.sort_by_key(|process| process.pid);
        Self(found)
    }

    /// Those whose command line has this text.
    pub fn running(&self, text: &str) -> Vec<Process> {
        let has = |process: &&Process| process.command.contains(text);
        self.0.iter().filter(has).cloned().collect()
    }

    /// Inode numbers of the TCP sockets that they listen on.
    pub fn listening(&self) -> BTreeSet<String> {
        &self.sockets() & &listening_sockets()
    }

    /// Addresses and ports that they listen on, as /proc/net/tcp has them.
    pub fn listening_addresses(&self) -> BTreeSet<String> {
        let own = self.sockets();
        let theirs = |(address, inode)| own.contains(&inode).then_some(address);
        listeners().into_iter().filter_map(theirs).collect()
    }

    /// Inode numbers of all their sockets.
    fn sockets(&self) -> BTreeSet<String> {
        let mut sockets = BTreeSet::new();
        for process in &self.0 {
            let folder = format!("/proc/{}/fd", process.pid);
            for link in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let to = std::fs::read_link(link.path()).unwrap_or_default();
                let to = to.to_string_lossy();
                if let Some(inode) = to.strip_prefix("socket:[") {
                    sockets.insert(inode.trim_end_matches(']').to_owned());
                }
            }
        }
        sockets
    }
}

/// Inode numbers of all TCP sockets of this machine that listen.
pub fn listening_sockets() -> BTreeSet<String> {
    listeners().into_iter().map(|(_, inode)| inode).collect()
}

/// Address with port, and inode number, of all TCP sockets of this machine that listen.
fn listeners() -> Vec<(String, String)> {
    /// `TCP_LISTEN` of linux/include/net/tcp_states.h.
    const LISTEN: &str = "0A";
    let mut listeners = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields.get(3) == Some(&LISTEN)
                && let Some(inode) = fields.get(9)
            {
                listeners.push((fields[1].to_owned(), (*inode).to_owned()));
            }
        }
    }
    listeners
}

impl Process {
    /// Sends it a signal. That it has ended meanwhile is no failure.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.pid), signal);
    }
}

/// Whether the condition comes true in time.
pub fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    condition()
}
