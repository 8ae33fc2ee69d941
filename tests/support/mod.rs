//! What several integration tests need: the Python that hosts TVM.
#![allow(dead_code, reason = "each test uses its own part")]

use std::path::PathBuf;
use std::process::Command;

/// The Python with TVM 0.19: `ARCO_PYTHON`, or the checkout's own `.venv` (made by `make venv`).
pub fn python() -> PathBuf {
    let python = std::env::var_os("ARCO_PYTHON").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python"),
        PathBuf::from,
    );
    assert!(
        python.exists(),
        "{} is missing: run `make venv`, or set ARCO_PYTHON to a Python with TVM 0.19",
        python.display()
    );
    python
}

/// Runs a module of the Python package and parses the JSON that it prints.
pub fn python_json(module: &str, arguments: &[&str]) -> serde_json::Value {
    let output = Command::new(python())
        .args(["-m", module])
        .args(arguments)
        .env("TOPHUB_LOCATION", "NONE")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "python -m {module} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `arco-tvm` to its end.
pub fn arco_tvm<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_arco-tvm"))
        .args(arguments)
        .output()
        .unwrap();
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs Python code with these arguments and returns what it printed.
pub fn python_code(code: &str, arguments: &[&str]) -> String {
    let output = Command::new(python())
        .args(["-c", code])
        .args(arguments)
        .env("TOPHUB_LOCATION", "NONE")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "python {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
