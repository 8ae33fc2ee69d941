//! What `--warm-start` takes from logs of earlier runs.

use std::path::PathBuf;

use crate::record::read_log;
use crate::task::TargetKind;
use crate::transfer::Knowledge;

use super::super::error::CliError;
use super::super::exit_code::ExitCode;
use super::super::printer::Printer;

/// What is known from these logs. What was measured on another sort of device says nothing, and a warning says so.
pub(super) fn warm_start(
    logs: &[PathBuf],
    target: &str,
    printer: Printer,
) -> Result<Knowledge, CliError> {
    let knowledge = Knowledge::default();
    for path in logs {
        let log = read_log(path).map_err(|error| {
            CliError::new(
                ExitCode::Log,
                format!("cannot read the log {}: {error}", path.display()),
                "name logs that are there with --warm-start",
            )
        })?;
        for skipped in &log.skipped {
            printer.warning(skipped.to_string());
        }
        let kind = TargetKind::of_target(target);
        let fits = |target: &str| TargetKind::of_target(target) == kind;
        let (records, others): (Vec<_>, Vec<_>) = log
            .records
            .iter()
            .map(|(_, record)| record)
            .partition(|record| fits(&record.workload.target));
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
    Ok(knowledge)
}
