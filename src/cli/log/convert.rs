//! `arco-tvm log convert`.

use std::path::Path;

use crate::record::{
    LogLines, TableError, TableFormat, TableRow, read_bytes, read_table, write_table,
};

use super::args::{ConvertArgs, Format};
use super::{plural, unreadable, warn_of_skipped, write};
use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::printer::Printer;

pub fn run(args: &ConvertArgs, printer: Printer) -> Result<ExitCode, CliError> {
    let wrong = |error: TableError| {
        CliError::new(
            ExitCode::Log,
            format!("{}: {error}", args.input.display()),
            "a table is what `arco-tvm log convert LOG -o TABLE.csv` writes; --from names another format",
        )
    };
    let from = args.from.unwrap_or_else(|| format_of(&args.input));
    let to = args.to.unwrap_or_else(|| format_of(&args.output));
    let bytes = read_bytes(&args.input).map_err(|error| unreadable(&args.input, &error))?;
    let rows = match from {
        Format::Log => {
            let log = LogLines::parse(&args.input, &bytes);
            warn_of_skipped(&log, printer);
            TableRow::of_log(&log)
        }
        Format::Csv => read_table(&bytes, TableFormat::Csv).map_err(wrong)?,
        Format::Jsonl => read_table(&bytes, TableFormat::JsonLines).map_err(wrong)?,
    };
    let bytes = match to {
        Format::Log => rows
            .iter()
            .map(|row| row.to_line() + "\n")
            .collect::<String>()
            .into_bytes(),
        Format::Csv => write_table(&rows, TableFormat::Csv).map_err(wrong)?,
        Format::Jsonl => write_table(&rows, TableFormat::JsonLines).map_err(wrong)?,
    };
    write(std::slice::from_ref(&args.input), &args.output, bytes)?;
    printer.note(format!(
        "{}: {}",
        args.output.display(),
        plural(rows.len(), "record")
    ));
    Ok(ExitCode::Success)
}

/// The format that a file's name promises, `.gz` aside.
fn format_of(path: &Path) -> Format {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.') {
        Some((_, "csv")) => Format::Csv,
        Some((_, "jsonl" | "ndjson")) => Format::Jsonl,
        _ => Format::Log,
    }
}
