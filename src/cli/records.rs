//! The records of a log that a command reads whole.

use std::path::Path;

use crate::record::{Record, read_log};

use super::error::CliError;
use super::exit_code::ExitCode;
use super::printer::Printer;

/// The records of a log, with a warning for each line that is none; `hint` says what to do when it cannot be read.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read_records(
    path: &Path,
    hint: &str,
    printer: Printer,
) -> Result<Vec<Record>, CliError> {
    let log = read_log(path).map_err(|error| unreadable(path, &error, hint))?;
    for skipped in &log.skipped {
        printer.warning(skipped.to_string());
    }
    Ok(log.records.into_iter().map(|(_, record)| record).collect())
}

/// The error of a log, or of what stands beside it, that cannot be read.
pub(super) fn unreadable(path: &Path, error: &std::io::Error, hint: &str) -> CliError {
    CliError::new(
        ExitCode::Log,
        format!("cannot read the log {}: {error}", path.display()),
        hint,
    )
}
