//! `arco-tvm vta trace`.

use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::format;
use crate::cli::printer::Printer;
use crate::vta::timing::simulate_with;
use crate::vta::trace::svg::{self, SvgOptions};
use crate::vta::trace::{Recorder, chrome};

use super::args::TraceArgs;
use super::run::timing_options;
use super::{files, stopped};

/// Times a program and draws where the cycles went.
///
/// # Errors
/// A file that is no program, a program that does not run to its end, a file that cannot be written.
pub fn run(args: &TraceArgs, printer: Printer) -> Result<ExitCode, CliError> {
    let program = super::load(&args.program)?;
    let mut recorder = Recorder::default();
    let report = simulate_with(&program, &timing_options(&args.machine), &mut recorder)
        .map_err(|error| stopped(&program.name, &error))?;
    files::write(&args.output, |mut out| {
        if is_picture(&args.output) {
            let options = SvgOptions {
                window: args.window.clone(),
                width: args.width,
                title: format!("{} on {}", program.name, report.geometry),
            };
            out.write_all(svg::render(&recorder, &options).as_bytes())
        } else {
            chrome::write(&recorder, &mut out)
        }
    })?;
    if recorder.dropped() > 0 {
        let dropped = format::count(recorder.dropped());
        printer.warning(format!(
            "{dropped} events at the end were left out: too many"
        ));
    }
    let (cycles, output) = (format::count(report.cycles), args.output.display());
    printer.note(format!("{cycles} cycles: {output}"));
    Ok(ExitCode::Success)
}

/// `x.svg` and `x.svg.gz`.
fn is_picture(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".gz").unwrap_or(&name).ends_with(".svg")
}
