//! Finds the Python that hosts TVM, without importing TVM (which takes a second).

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// The version of TVM that we speak to.
const WANTED: &str = "0.19.";

/// A Python with TVM 0.19 and the package `arco_tvm`.
#[derive(Clone, Debug)]
pub struct PythonHost {
    /// The interpreter.
    pub python: PathBuf,
    /// How it came to be chosen.
    pub chosen_by: ChosenBy,
    /// TVM's shared library.
    pub libtvm: PathBuf,
    /// TVM's version.
    pub tvm_version: String,
    /// Modules that its servers import before anything else: a package that brings a target.
    pub imports: Vec<String>,
    /// Shared libraries that its frontend and its devices load: a device runtime that this TVM was built without.
    pub libraries: Vec<PathBuf>,
}

/// How a Python was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// `--python`, `ARCO_PYTHON` or arco.toml.
    Setting,
    /// The active virtual environment.
    VirtualEnv,
    /// The virtual environment in this folder.
    DotVenv,
    /// Whatever `python3` is.
    Path,
}

impl ChosenBy {
    /// The place as a person would name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Setting => "--python, ARCO_PYTHON or arco.toml",
            Self::VirtualEnv => "$VIRTUAL_ENV",
            Self::DotVenv => "./.venv",
            Self::Path => "python3 on PATH",
        }
    }
}

/// Why there is no usable Python.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It cannot be started.
    #[error("cannot start the Python {python} ({chosen_by}): {source}", python = python.display(), chosen_by = chosen_by.name())]
    Start {
        /// The interpreter.
        python: PathBuf,
        /// How it was chosen.
        chosen_by: ChosenBy,
        /// What the system said.
        source: io::Error,
    },
    /// It is there and does not answer as a Python does.
    #[error("{python} ({chosen_by}) does not work as a Python: {text}", python = python.display(), chosen_by = chosen_by.name())]
    Broken {
        /// The interpreter.
        python: PathBuf,
        /// How it was chosen.
        chosen_by: ChosenBy,
        /// What it printed.
        text: String,
    },
    /// It has no TVM.
    #[error("the Python {python} ({chosen_by}) has no TVM", python = python.display(), chosen_by = chosen_by.name())]
    NoTvm {
        /// The interpreter.
        python: PathBuf,
        /// How it was chosen.
        chosen_by: ChosenBy,
    },
    /// It has another version of TVM.
    #[error("the Python {python} ({chosen_by}) has TVM {found}, and arco-tvm works with TVM 0.19", python = python.display(), chosen_by = chosen_by.name())]
    WrongVersion {
        /// The interpreter.
        python: PathBuf,
        /// How it was chosen.
        chosen_by: ChosenBy,
        /// The version found.
        found: String,
    },
    /// TVM's package is there without its library.
    #[error("the Python {python} ({chosen_by}) has TVM's package without its library: {text}", python = python.display(), chosen_by = chosen_by.name())]
    NoLibrary {
        /// The interpreter.
        python: PathBuf,
        /// How it was chosen.
        chosen_by: ChosenBy,
        /// What the search said.
        text: String,
    },
    /// It has TVM, and our package is missing.
    #[error("the Python {python} ({chosen_by}) has TVM {tvm_version} but not the package arco_tvm", python = python.display(), chosen_by = chosen_by.name())]
    NoPackage {
        /// The interpreter.
        python: PathBuf,
        /// How it was chosen.
        chosen_by: ChosenBy,
        /// TVM's version.
        tvm_version: String,
    },
}

impl HostError {
    /// What to do next.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Start { .. } | Self::Broken { .. } => {
                "name a working Python 3.10 to 3.12 with --python, or run `make venv` in a checkout of arco-tvm"
            }
            Self::NoTvm { .. } | Self::WrongVersion { .. } => {
                "run `make venv` in a checkout of arco-tvm, or name a Python that has TVM 0.19 with --python"
            }
            Self::NoLibrary { .. } => {
                "set TVM_LIBRARY_PATH to the folder of libtvm.so, or reinstall TVM"
            }
            Self::NoPackage { .. } => {
                "run `pip install ./tvm-patches` with that Python in a checkout of arco-tvm"
            }
        }
    }
}

/// What the probe prints: one JSON object.
#[derive(Deserialize)]
struct Probe {
    version: Option<String>,
    library: Option<PathBuf>,
    error: Option<String>,
    package: bool,
}

/// TVM's own search for its library lives in `_ffi/libinfo.py`, which can be run without importing TVM.
const PROBE: &str = r#"
import importlib.util, json, os, runpy
tvm = importlib.util.find_spec("tvm")
out = {"version": None, "library": None, "error": None,
       "package": importlib.util.find_spec("arco_tvm") is not None}
if tvm is not None and tvm.origin:
    try:
        info = runpy.run_path(os.path.join(os.path.dirname(tvm.origin), "_ffi", "libinfo.py"))
        out["version"] = info["__version__"]
        paths = [p for p in info["find_lib_path"]() if os.path.basename(p).startswith("libtvm.")]
        out["library"] = paths[0] if paths else None
    except Exception as error:
        out["error"] = f"{type(error).__name__}: {error}"
print(json.dumps(out))
"#;

impl PythonHost {
    /// The Python named by `setting`, else the one of `$VIRTUAL_ENV`, else `./.venv`, else `python3`.
    ///
    /// # Errors
    /// When the first of these that exists has no TVM 0.19 or no `arco_tvm`.
    pub fn find(setting: Option<&Path>) -> Result<Self, HostError> {
        let (python, chosen_by) = choose(setting);
        let output = Command::new(&python)
            .args(["-c", PROBE])
            .output()
            .map_err(|source| HostError::Start {
                python: python.clone(),
                chosen_by,
                source,
            })?;
        let Ok(probe) = serde_json::from_slice::<Probe>(&output.stdout) else {
            let text = String::from_utf8_lossy(&output.stderr);
            let text = text
                .lines()
                .last()
                .unwrap_or("it printed nothing")
                .to_owned();
            return Err(HostError::Broken {
                python,
                chosen_by,
                text,
            });
        };
        let Some(tvm_version) = probe.version else {
            return Err(match probe.error {
                Some(text) => HostError::NoLibrary {
                    python,
                    chosen_by,
                    text,
                },
                None => HostError::NoTvm { python, chosen_by },
            });
        };
        if !tvm_version.starts_with(WANTED) {
            return Err(HostError::WrongVersion {
                python,
                chosen_by,
                found: tvm_version,
            });
        }
        let Some(libtvm) = probe.library else {
            return Err(HostError::NoLibrary {
                python,
                chosen_by,
                text: probe
                    .error
                    .unwrap_or_else(|| "libtvm.so not found".to_owned()),
            });
        };
        if !probe.package {
            return Err(HostError::NoPackage {
                python,
                chosen_by,
                tvm_version,
            });
        }
        Ok(Self {
            python,
            chosen_by,
            libtvm,
            tvm_version,
            imports: Vec::new(),
            libraries: Vec::new(),
        })
    }
}

fn choose(setting: Option<&Path>) -> (PathBuf, ChosenBy) {
    if let Some(python) = setting {
        return (python.to_owned(), ChosenBy::Setting);
    }
    if let Some(env) = std::env::var_os("VIRTUAL_ENV").filter(|env| !env.is_empty()) {
        return (Path::new(&env).join("bin/python"), ChosenBy::VirtualEnv);
    }
    let here = Path::new(".venv/bin/python");
    if here.exists() {
        return (here.to_owned(), ChosenBy::DotVenv);
    }
    (PathBuf::from("python3"), ChosenBy::Path)
}
