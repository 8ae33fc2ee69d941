//! What `--warm-start` takes from logs of earlier runs.

use std::path::{Path, PathBuf};

use crate::record::Record;
use crate::task::TargetKind;
use crate::transfer::Knowledge;

use super::super::error::CliError;
use super::super::printer::Printer;
use super::super::records::read_records;

/// The records of each log.
pub(super) type Earlier<'a> = Vec<(&'a Path, Vec<Record>)>;

/// Reads the logs.
pub(super) fn read(logs: &[PathBuf], printer: Printer) -> Result<Earlier<'_>, CliError> {
    let hint = "name logs that are there with --warm-start";
    let records = |path| Ok((path, read_records(path, hint, printer)?));
    logs.iter().map(PathBuf::as_path).map(records).collect()
}

/// What is known from them. What was measured on another sort of device says nothing, and a warning says so.
pub(super) fn knowledge(logs: &Earlier<'_>, target: &str, printer: Printer) -> Knowledge {
    let knowledge = Knowledge::default();
    let kind = TargetKind::of_target(target);
    for (path, records) in logs {
        let (records, others): (Vec<_>, Vec<_>) = records
            .iter()
            .partition(|record| TargetKind::of_target(&record.workload.target) == kind);
        if let Some(other) = others.first() {
            printer.warning(format!(
                "{} records of {} are for another sort of device ({}) and teach nothing here",
                others.len(),
                path.display(),
                other.workload.target
            ));
        }
        printer.note(format!(
            "warm start: {} records of {}",
            records.len(),
            path.display()
        ));
        knowledge.remember(records);
    }
    knowledge
}
