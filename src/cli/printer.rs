//! The only place that writes to standard output and standard error.

use std::io::{IsTerminal, Write};

use super::error::CliError;

/// Writes results to standard output, and everything else to standard error.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    quiet: bool,
}

impl Printer {
    /// A printer; a quiet one says only results, warnings and errors.
    pub const fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Whether standard error is a terminal, where a progress line may redraw itself.
    pub fn is_live(self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// A line of the command's result.
    pub fn result(self, line: impl AsRef<str>) {
        // A closed pipe (`| head`) is no reason to fail.
        let _ = writeln!(std::io::stdout().lock(), "{}", line.as_ref());
    }

    /// A line about what is going on.
    pub fn note(self, line: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
        }
    }

    /// Something that the user should know.
    pub fn warning(self, line: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr().lock(), "warning: {}", line.as_ref());
    }

    /// Why the command failed, and what to do next.
    pub fn error(self, error: &CliError) {
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "error: {}", error.message);
        if !error.hint.is_empty() {
            let _ = writeln!(stderr, "  hint: {}", error.hint);
        }
    }
}
