//! Finds the TVM that the tests run against, and starts what they talk to.
//!
//! A test that finds no TVM fails: these tests are about TVM, and one that passes without it has shown nothing.
#![allow(dead_code)] // each test binary uses its own part of this module

pub mod matmul;
pub mod rpc_server;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The Python that hosts TVM: `ARCO_PYTHON`, then `$VIRTUAL_ENV`, then `.venv` of the workspace.
pub fn python() -> PathBuf {
    if let Some(path) = env::var_os("ARCO_PYTHON") {
        return path.into();
    }
    let venv = match env::var_os("VIRTUAL_ENV") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv"),
    };
    let python = venv.join("bin/python");
    assert!(
        python.exists(),
        "no Python with TVM: {} does not exist; run `make venv` or set ARCO_PYTHON",
        python.display()
    );
    python
}

/// The folder of the Python package `tvm`, found without importing it (an import takes seconds).
pub fn tvm_package() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let script = "import importlib.util, os; \
                      spec = importlib.util.find_spec('tvm'); \
                      print(os.path.dirname(spec.origin) if spec else '', end='')";
        let found = run_python(&["-c", script]);
        assert!(
            !found.is_empty(),
            "{} has no package `tvm`",
            python().display()
        );
        PathBuf::from(found)
    })
}

/// `libtvm.so` of that package.
pub fn libtvm() -> PathBuf {
    let path = tvm_package().join("libtvm.so");
    assert!(path.exists(), "{} does not exist", path.display());
    path
}

/// Loads that TVM into the test's process (once), or hands out the one that is loaded.
pub fn tvm() -> &'static tvm_rt::Tvm {
    tvm_rt::Tvm::load(&libtvm()).expect("the TVM of the environment loads")
}

/// A Python command with what TVM needs around it.
pub fn python_command() -> Command {
    let mut command = Command::new(python());
    command
        .env("TOPHUB_LOCATION", "NONE")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs Python to its end and returns what it printed; fails the test with both its streams if it did not succeed.
pub fn run_python(args: &[&str]) -> String {
    let output = python_command().args(args).output().expect("Python starts");
    assert!(
        output.status.success(),
        "python {args:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("Python printed UTF-8")
}
