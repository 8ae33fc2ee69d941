//! `arco-tvm replay`: strategies on recorded spaces. It needs no TVM and no device.

pub mod args;
mod computed;
mod inputs;
mod pooled;
mod runs;
mod table;

use crate::replay::{Curves, draw};

use super::error::CliError;
use super::exit_code::ExitCode;
use super::printer::Printer;
use args::ReplayArgs;
use table::SpaceRuns;

/// Runs the command.
///
/// # Errors
/// When a space cannot be read, a strategy fails, or a file cannot be written.
pub fn run(args: &ReplayArgs, printer: Printer) -> Result<ExitCode, CliError> {
    let spaces = inputs::read_spaces(args, printer)?;
    let histories = runs::run(args, &spaces, printer)?;
    let results: Vec<SpaceRuns> = spaces
        .iter()
        .zip(histories)
        .map(|(space, histories)| SpaceRuns::new(space, histories, args))
        .collect::<Result<_, _>>()?;
    for (position, result) in results.iter().enumerate() {
        if position > 0 {
            printer.result("");
        }
        printer.result(result.headline());
        printer.result(result.table());
    }
    if results
        .iter()
        .filter(|space| space.scores().is_some())
        .count()
        > 1
    {
        printer.result("");
        printer.result(pooled::summary(&results, &args.strategies()));
    }
    if let Some(path) = &args.svg {
        let panels: Vec<Curves> = results.iter().map(SpaceRuns::curves).collect();
        let picture = draw(&panels).map_err(|reason| {
            CliError::new(ExitCode::Failure, format!("no picture: {reason}"), "")
        })?;
        std::fs::write(path, picture).map_err(|error| {
            CliError::new(
                ExitCode::Failure,
                format!("cannot write {}: {error}", path.display()),
                "name a file that you may write with --svg",
            )
        })?;
        printer.note(format!("picture: {}", path.display()));
    }
    Ok(ExitCode::Success)
}
