//! `arco-tvm log lint`.

use std::collections::BTreeMap;

use crate::record::{Finding, Lint, LogLines, Severity, bytes_of};

use super::args::LintArgs;
use super::{plural, read, write};
use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::printer::Printer;

/// Findings of one sort that are shown.
const SHOWN: usize = 5;

pub fn run(args: &LintArgs, printer: Printer) -> Result<ExitCode, CliError> {
    if args.fix && args.logs.len() > 1 {
        return Err(CliError::new(
            ExitCode::Usage,
            "--fix takes one log",
            "mend each for itself, or put them together with `arco-tvm log merge`",
        ));
    }
    let mut errors = 0;
    for path in &args.logs {
        let log = read(path)?;
        let lint = Lint::of(&log);
        errors += lint.count(Severity::Error);
        show(&log, &lint, args.all, printer);
        if let Some(output) = &args.output {
            let clean = Lint::clean(&log);
            let dropped = log.lines.len() - clean.len();
            write(&args.logs, output, bytes_of(clean.iter().copied()))?;
            printer.note(format!(
                "{}: {}; {} left out",
                output.display(),
                plural(clean.len(), "line"),
                plural(dropped, "line")
            ));
        }
    }
    // A clean copy was asked for and made: done.
    if errors > 0 && !args.fix {
        return Ok(ExitCode::Log);
    }
    Ok(ExitCode::Success)
}

fn show(log: &LogLines, lint: &Lint<'_>, all: bool, printer: Printer) {
    let path = log.path.display();
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &lint.findings {
        let count = shown.entry(finding.name()).or_default();
        *count += 1;
        if !all && *count > SHOWN {
            continue;
        }
        let place = finding
            .line()
            .map_or_else(String::new, |line| format!(":{line}"));
        printer.result(format!("{path}{place}: {}: {finding}", severity(finding)));
    }
    for (name, count) in shown {
        if !all && count > SHOWN {
            printer.result(format!(
                "{path}: {} more of `{name}` (--all shows them)",
                count - SHOWN
            ));
        }
    }
    printer.result(format!(
        "{path}: {} of {} for {}, {} failed; {}, {}",
        plural(lint.records, "record"),
        plural(lint.workloads, "task"),
        plural(lint.targets.len(), "target"),
        lint.failed,
        plural(lint.count(Severity::Error), "error"),
        plural(lint.count(Severity::Warning), "warning"),
    ));
}

fn severity(finding: &Finding<'_>) -> &'static str {
    match finding.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
