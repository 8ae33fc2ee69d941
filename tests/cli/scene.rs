//! A folder of its own in which the program runs, and its whole output as one text.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use regex::Regex;
use snapbox::{Assert, Redactions};
use tempfile::TempDir;

use crate::support;

/// A folder in which commands are run.
pub struct Scene {
    folder: TempDir,
}

impl Scene {
    /// An empty folder.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders that it is in.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// `arco-tvm` with these arguments and the Python that hosts TVM.
    pub fn arco_tvm(&self, arguments: &[&str]) -> Command {
        let mut command = support::arco_tvm(self.folder.path());
        command
            .args(arguments)
            .env("ARCO_PYTHON", support::python());
        command
    }

    /// Runs the command and compares all that it says, and its exit code, with the snapshot.
    #[track_caller]
    pub fn says(&self, command: &mut Command, expected: impl snapbox::IntoData) {
        let output = command.output().unwrap();
        Assert::new()
            .action_env("SNAPSHOTS")
            .redact_with(self.redactions())
            .eq(transcript(&output), expected);
    }

    /// What differs from machine to machine.
    fn redactions(&self) -> Redactions {
        let mut redactions = Redactions::new();
        let mut insert = |placeholder, regex: &str| {
            redactions
                .insert(placeholder, Regex::new(regex).unwrap())
                .unwrap();
        };
        insert(
            "[CPU]",
            r"(?:calls this CPU|-mcpu=native is|-mcpu=native means|names this machine's CPU,) (?<redacted>[\w.-]+)",
        );
        insert("[TIME]", r"\b(?<redacted>[0-9.]+ ms)\b");
        // How noisy this machine is, and what is advised then: the unit tests of the advice have the words.
        insert(
            "[NOISE]",
            r"(?<redacted>\[(?: ok |warn)\] noise of [^:]+: 20 measurements of a kernel of [^\n]*(?:\n {7}[^\n]*)?)",
        );
        insert("[TRIPLE]", r"-mtriple=(?<redacted>[\w-]+)");
        insert("[VERSION]", r"on Python (?<redacted>[0-9.]+)");
        insert("[CORES]", r"cores: (?<redacted>[0-9]+)");
        insert("[PATH]", r"linker: (?<redacted>/\S+)");
        insert("[CPU]", r"for llvm -keys=cpu -mcpu=(?<redacted>\S+)");
        insert("[PORT]", r"127\.0\.0\.1:(?<redacted>[0-9]{4,5})\b");
        insert(
            "[DATE]",
            r"(?<redacted>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:,]+) INFO",
        );
        redactions
            .insert("[FOLDER]", self.folder.path().to_path_buf())
            .unwrap();
        redactions.insert("[PYTHON]", support::python()).unwrap();
        // libtvm is found by its real path.
        for folder in [tvm_folder(), &tvm_folder().canonicalize().unwrap()] {
            redactions.insert("[TVM]", folder.to_path_buf()).unwrap();
        }
        redactions
    }
}

fn transcript(output: &Output) -> String {
    let code = output.status.code().expect("it was not killed");
    format!(
        "exit code: {code}\n--- standard output\n{}--- standard error\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The folder of the installed package `tvm`.
pub fn tvm_folder() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let script = "import importlib.util, os, sys; \
                      sys.stdout.write(os.path.dirname(importlib.util.find_spec('tvm').origin))";
        support::run_python(script, &[]).into()
    })
}
