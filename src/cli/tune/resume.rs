//! What an earlier run of the same command left: its log and journal.

use std::path::Path;

use crate::record::{Mended, Record};
use crate::tuning::{Journal, Output, missing_from_log, read_journal};

use super::super::error::CliError;
use super::super::printer::Printer;
use super::super::records::{read_records, unreadable};

/// Opens log and journal, mends what a killed run left, and returns the records of earlier runs.
pub(in crate::cli) fn open_output(
    path: &Path,
    printer: Printer,
) -> Result<(Output, Vec<Record>), CliError> {
    let (mut output, mended) = Output::open(path)?;
    match mended {
        Some(Mended::MovedFragment { to }) => printer.warning(format!(
            "{} ended in half a line (a writer was killed); it now stands in {}",
            path.display(),
            to.display()
        )),
        Some(Mended::AddedLineBreak) => {
            printer.warning(format!(
                "{} lacked the end of its last line",
                path.display()
            ));
        }
        None => {}
    }
    let hint = "name another log with -o";
    let mut records = read_records(path, hint, printer)?;
    let events = read_journal(path).map_err(|error| unreadable(path, &error, hint))?;
    let recovered = missing_from_log(&events, &records);
    for record in &recovered {
        output.record(record)?;
    }
    if !recovered.is_empty() {
        output.sync()?;
        printer.note(format!(
            "{} finished trials of a run that was killed are recovered from {}",
            recovered.len(),
            Journal::path_of(path).display()
        ));
    }
    records.extend(recovered);
    Ok((output, records))
}
