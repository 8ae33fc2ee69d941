//! The spaces that the command line names.

use std::collections::BTreeSet;

use crate::measure::recorded::{ReadOptions, RecordedError, RecordedSpace, T1, parse, unpacked};

use super::super::error::CliError;
use super::super::exit_code::ExitCode;
use super::super::printer::Printer;
use super::args::ReplayArgs;
use super::computed;

/// How many notes about one file are shown.
const NOTES: usize = 5;

/// Reads every space.
pub(super) fn read_spaces(
    args: &ReplayArgs,
    printer: Printer,
) -> Result<Vec<RecordedSpace>, CliError> {
    let conditions = args
        .conditions
        .iter()
        .map(|path| T1::read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let options = ReadOptions {
        conditions,
        masks: !args.no_masks,
    };
    let mut spaces: Vec<RecordedSpace> = Vec::new();
    for path in &args.spaces {
        let bytes = unpacked(path)?;
        if let Some(space) = computed::space(path, &bytes, options.masks, printer)? {
            spaces.push(space);
            continue;
        }
        let recording = parse(path, &bytes, &options)?;
        for note in recording.notes.iter().take(NOTES) {
            printer.warning(note);
        }
        if recording.notes.len() > NOTES {
            let more = recording.notes.len() - NOTES;
            printer.warning(format!("{}: {more} more of these", path.display()));
        }
        spaces.extend(recording.spaces);
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = spaces.iter().find(|space| !names.insert(&space.name)) {
        return Err(CliError::new(
            ExitCode::Usage,
            format!("two spaces are called {}", twice.name),
            "results are told apart by the file's name: rename one of the files",
        ));
    }
    Ok(spaces)
}

impl From<RecordedError> for CliError {
    fn from(error: RecordedError) -> Self {
        let hint = match &error {
            RecordedError::Unreadable { .. } => "check the path",
            RecordedError::Format { .. } => {
                "AutoTVM logs, Kernel Tuner caches, T4 files, VTA landscapes and layers to compute are read, gzipped or not"
            }
            RecordedError::Conditions { .. } => {
                "a T1 file of the FAIR Benchmark Hub has them, beside the parameters"
            }
            RecordedError::Empty { .. } => "record some with `arco-tvm tune`, or name another file",
            RecordedError::Masked { .. } => {
                "give the T1 file that belongs to this record with --conditions, or none; or add --no-masks"
            }
            RecordedError::TooLarge { .. } => "leave --no-masks out",
            RecordedError::Knob { .. }
            | RecordedError::Space { .. }
            | RecordedError::Condition { .. } => "",
        };
        Self::new(ExitCode::Log, error.to_string(), hint)
    }
}
