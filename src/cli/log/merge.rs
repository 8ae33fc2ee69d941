//! `arco-tvm log merge`.

use crate::record::{Merged, bytes_of};

use super::args::MergeArgs;
use super::{plural, read_all, write};
use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::printer::Printer;

pub fn run(args: &MergeArgs, printer: Printer) -> Result<ExitCode, CliError> {
    let logs = read_all(&args.logs, printer)?;
    let merged = Merged::of(&logs);
    write(
        &args.logs,
        &args.output,
        bytes_of(merged.lines.iter().copied()),
    )?;
    printer.note(format!(
        "{}: {} of {}; {} left out, {} skipped",
        args.output.display(),
        plural(merged.records, "record"),
        plural(logs.len(), "log"),
        plural(merged.duplicates, "duplicate"),
        plural(merged.skipped, "line"),
    ));
    Ok(ExitCode::Success)
}
