//! `arco-tvm log`: looking at logs, mending and converting them. None of it needs TVM or Python.

pub mod args;
mod best;
mod convert;
mod explain;
mod lint;
mod merge;

use std::path::{Path, PathBuf};

use crate::record::{LineContent, LogLines, WriteError, write_from};

use super::error::CliError;
use super::exit_code::ExitCode;
use super::printer::Printer;
use args::{LogArgs, LogCommand};

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or written.
pub fn run(args: &LogArgs, printer: Printer) -> Result<ExitCode, CliError> {
    match &args.command {
        LogCommand::Lint(args) => lint::run(args, printer),
        LogCommand::Merge(args) => merge::run(args, printer),
        LogCommand::Best(args) => best::run(args, printer),
        LogCommand::Explain(args) => explain::run(args, printer),
        LogCommand::Convert(args) => convert::run(args, printer),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> CliError {
    // The error of a file that is not there names it already.
    let error = error.to_string();
    let name = path.display().to_string();
    let message = if error.contains(&name) {
        error
    } else {
        format!("cannot read {name}: {error}")
    };
    CliError::new(ExitCode::Log, message, "check the path")
}

fn read(path: &Path) -> Result<LogLines, CliError> {
    LogLines::read(path).map_err(|error| unreadable(path, &error))
}

/// Reads logs and warns of every line that is no record.
fn read_all(paths: &[PathBuf], printer: Printer) -> Result<Vec<LogLines>, CliError> {
    let logs: Vec<LogLines> = paths
        .iter()
        .map(|path| read(path))
        .collect::<Result<_, _>>()?;
    for log in &logs {
        warn_of_skipped(log, printer);
    }
    Ok(logs)
}

fn warn_of_skipped(log: &LogLines, printer: Printer) {
    for line in &log.lines {
        if let LineContent::Skipped(reason) = &line.content {
            let (path, line) = (log.path.display(), line.number);
            printer.warning(format!("{path}, line {line} skipped: {reason}"));
        }
    }
}

fn write(inputs: &[PathBuf], path: &Path, bytes: Vec<u8>) -> Result<(), CliError> {
    Ok(write_from(inputs, path, bytes)?)
}

impl From<WriteError> for CliError {
    fn from(error: WriteError) -> Self {
        let hint = match &error {
            WriteError::IsInput { .. } => "name another file with -o; inputs stay as they are",
            WriteError::Locked { .. } => "wait for the run to end, or name another file with -o",
            WriteError::System { .. } => "name a file that you may write with -o",
        };
        Self::new(ExitCode::Log, error.to_string(), hint)
    }
}

/// `1 record`, `2 records`.
fn plural(count: usize, noun: &str) -> String {
    let count_text = super::format::count(count as u64);
    let ending = if count == 1 { "" } else { "s" };
    format!("{count_text} {noun}{ending}")
}
