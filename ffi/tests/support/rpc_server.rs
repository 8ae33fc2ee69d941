//! A real TVM RPC server, in a process group of its own that ends with the test.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};

/// A server on a free port of this machine, without a tracker.
pub struct RpcServer {
    process: Child,
    /// Where it listens.
    pub port: u16,
}

impl RpcServer {
    /// Starts the server and waits until it listens.
    pub fn start() -> Self {
        // It ends when its standard input closes, so also when the test dies without dropping this.
        let script = "import sys; from tvm import rpc\n\
                      server = rpc.Server('127.0.0.1', port=9300, port_end=9999, silent=True)\n\
                      print(server.port, flush=True)\n\
                      sys.stdin.read()\n\
                      server.terminate()";
        let mut process = super::python_command()
            .args(["-c", script])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a piped stdout");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the server prints its port");
        let port = line
            .trim()
            .parse()
            .expect("the server prints its port; its errors are above");
        Self { process, port }
    }
}

impl Drop for RpcServer {
    fn drop(&mut self) {
        let group = i32::try_from(self.process.id()).expect("a process id");
        // SAFETY: a signal to the group that `start` made; the server forks one process for each session, and they
        // hold the port when only their parent is killed.
        unsafe { libc::kill(-group, libc::SIGKILL) };
        let _ = self.process.wait();
    }
}
