//! `net.best.log` beside `net.log`: one record for each task, for the network to be compiled with.

use std::path::{Path, PathBuf};

use crate::frontend::ExtractedTasks;
use crate::record::{LogLine, LogLines, Record, best_records, bytes_of, write_from};
use crate::tuning::choose_for_network;

use super::super::error::CliError;
use super::super::exit_code::ExitCode;
use super::super::printer::Printer;

/// `net.log` to `net.best.log`.
pub(super) fn path_of(log: &Path) -> PathBuf {
    let mut name = log.file_stem().unwrap_or_default().to_owned();
    name.push(".best");
    if let Some(extension) = log.extension() {
        name.push(".");
        name.push(extension);
    }
    log.with_file_name(name)
}

/// Writes it from what the log holds of these tasks. Returns its path, or `None` when no task has a record.
///
/// # Errors
/// When the log cannot be read or the file cannot be written.
pub(super) fn write(
    log: &Path,
    extracted: &ExtractedTasks,
    printer: Printer,
) -> Result<Option<PathBuf>, CliError> {
    let read = LogLines::read(log).map_err(|error| {
        let message = format!("cannot read the log {}: {error}", log.display());
        CliError::new(
            ExitCode::Log,
            message,
            "was it moved while the run went on?",
        )
    })?;
    let (lines, records): (Vec<&LogLine>, Vec<&Record>) = read.records().unzip();
    let chosen = choose_for_network(&extracted.tasks, &extracted.links, &records);
    let mut chosen: Vec<usize> = chosen.into_iter().flatten().collect();
    if chosen.is_empty() {
        return Ok(None);
    }
    chosen.sort_unstable();
    let fastest = best_records(records.iter().copied());
    let slower = chosen
        .iter()
        .filter(|position| !fastest.contains(position))
        .count();
    let path = path_of(log);
    write_from(
        &[log.to_owned()],
        &path,
        bytes_of(chosen.iter().map(|&position| lines[position])),
    )?;
    printer.note(match slower {
        0 => format!("{}: the best of each task", path.display()),
        _ => format!(
            "{}: one record for each task; {slower} of them are not the fastest of their task, but agree on layouts",
            path.display()
        ),
    });
    Ok(Some(path))
}
