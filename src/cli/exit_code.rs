//! What the program's exit status means.

/// Exit codes; docs/reference/exit-codes.md lists them for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done.
    Success = 0,
    /// Something failed that has no code of its own.
    Failure = 1,
    /// The command line or arco.toml is wrong (clap's own code for it).
    Usage = 2,
    /// There is no usable TVM.
    NoTvm = 3,
    /// The model cannot be imported.
    Model = 4,
    /// The target is unknown or this TVM cannot build for it.
    Target = 5,
    /// A log cannot be read or written.
    Log = 6,
    /// No builder or device can be had.
    Device = 7,
    /// Every candidate failed.
    NothingFound = 8,
    /// The tuned network computes something else than the untuned one.
    Mismatch = 9,
    /// Stopped by Ctrl-C; what was finished is in the log.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
