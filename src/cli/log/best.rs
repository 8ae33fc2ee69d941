//! `arco-tvm log best`.

use crate::record::{LogLine, Record, best_records, bytes_of};

use super::args::BestArgs;
use super::{plural, read_all, write};
use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::format;
use crate::cli::printer::Printer;

pub fn run(args: &BestArgs, printer: Printer) -> Result<ExitCode, CliError> {
    let logs = read_all(&args.logs, printer)?;
    let records: Vec<(&LogLine, &Record)> = logs.iter().flat_map(|log| log.records()).collect();
    let best: Vec<(&LogLine, &Record)> = best_records(records.iter().map(|(_, record)| *record))
        .into_iter()
        .map(|position| records[position])
        .collect();
    if let Some(output) = &args.output {
        let lines = best.iter().map(|(line, _)| *line);
        write(&args.logs, output, bytes_of(lines))?;
        printer.note(format!(
            "{}: the best of {}",
            output.display(),
            plural(records.len(), "record")
        ));
        return Ok(ExitCode::Success);
    }
    let rows = best
        .iter()
        .map(|(_, record)| {
            let cost = record.result.mean_cost();
            vec![
                record.workload.label(),
                record.workload.target.clone(),
                record.config.index.to_string(),
                cost.map_or_else(|| "-".to_owned(), format::seconds),
            ]
        })
        .collect();
    printer.result(format::table(&["task", "target", "index", "best"], 2, rows));
    Ok(ExitCode::Success)
}
