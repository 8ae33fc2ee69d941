//! `arco-tvm asktell`: the strategies for any program, over standard input and output.

use std::io::BufRead;

use crate::asktell::{AskTellError, Session};
use crate::seed::Seed;

use super::args::AskTellArgs;
use super::error::CliError;
use super::exit_code::ExitCode;
use super::printer::Printer;
use super::settings::SettingsFile;

/// Runs the command.
///
/// # Errors
/// When a line is no message, or the search cannot go on.
pub fn run(
    args: &AskTellArgs,
    settings: &SettingsFile,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let strategy = settings.strategy(args.strategy)?;
    let seed = args.seed.or(settings.seed).map(Seed);
    let mut session = Session::new(strategy, seed);
    for (position, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(|error| {
            CliError::new(
                ExitCode::Failure,
                format!("cannot read standard input: {error}"),
                "",
            )
        })?;
        if line.trim().is_empty() {
            continue;
        }
        let Some(answer) = session.line(position + 1, &line)? else {
            return Ok(ExitCode::Success);
        };
        let answer = serde_json::to_string(&answer)
            .map_err(|error| CliError::new(ExitCode::Failure, format!("no answer: {error}"), ""))?;
        printer.result(answer);
    }
    printer.note("standard input ended without `stop`");
    Ok(ExitCode::Success)
}

impl From<AskTellError> for CliError {
    fn from(error: AskTellError) -> Self {
        let (code, hint) = match &error {
            AskTellError::Strategy(_) => (ExitCode::Failure, ""),
            _ => (
                ExitCode::Usage,
                "docs/reference/asktell.md has the protocol, and a program that speaks it",
            ),
        };
        Self::new(code, error.to_string(), hint)
    }
}
