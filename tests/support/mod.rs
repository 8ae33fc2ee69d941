//! What several integration tests need: the Python that hosts TVM.
#![allow(dead_code, reason = "each test uses its own part")]

pub mod packed;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

/// This checkout's Python packages. Tests put them on `PYTHONPATH`, so that it is these that are tested, whichever
/// checkout the virtual environment belongs to.
pub fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tvm-patches")
}

/// A command in which nothing of the tester's own settings is left, with this checkout's packages on `PYTHONPATH`.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in [
        "ARCO_KEY",
        "ARCO_PYTHON",
        "ARCO_TARGET",
        "ARCO_TRACKER",
        "TVM_LIBRARY_PATH",
        "VIRTUAL_ENV",
    ] {
        command.env_remove(name);
    }
    command
        .env("PYTHONPATH", packages())
        .env("TOPHUB_LOCATION", "NONE")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // Help is wrapped to the terminal's width.
        .env("COLUMNS", "100");
    command
}

/// `arco-tvm` in this folder.
pub fn arco_tvm(folder: &Path) -> Command {
    let mut command = command(env!("CARGO_BIN_EXE_arco-tvm"));
    command.current_dir(folder);
    command
}

/// `arco-tvm` in this folder with these arguments and the Python that hosts TVM.
pub fn arco_tvm_with_tvm(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = arco_tvm(folder);
    command.args(arguments).env("ARCO_PYTHON", python());
    command
}

/// Runs to its end; standard output and standard error, or a failed test.
pub fn succeed(command: &mut Command) -> (String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    (stdout, stderr)
}

/// Runs a Python script to its end and returns what it printed; fails the test if the script fails.
pub fn run_python(script: &str, arguments: &[&Path]) -> String {
    let output = command(python())
        .args(["-c", script])
        .args(arguments)
        .output()
        .unwrap();
    succeeded(output)
}

/// What a command printed; fails the test with both streams if it failed.
pub fn succeeded(output: Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}\n{}\n{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Runs a module of the Python package and parses the JSON that it prints.
pub fn python_json(module: &str, arguments: &[&str]) -> serde_json::Value {
    let output = command(python())
        .args(["-m", module])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "python -m {module} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
