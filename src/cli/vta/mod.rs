//! `arco-tvm vta`: the accelerator without TVM.

pub mod args;
pub(super) mod files;
mod info;
mod report;
mod run;
mod text;
mod trace;

use std::path::Path;

use crate::vta::program::{self, Program, ProgramError};

use super::error::CliError;
use super::exit_code::ExitCode;
use super::printer::Printer;
use args::VtaCommand;
pub use info::geometry;

/// Runs one of the commands.
///
/// # Errors
/// A file that cannot be read or written, a program that does not run to its end, a geometry that breaks a rule.
pub fn run(command: &VtaCommand, printer: Printer) -> Result<ExitCode, CliError> {
    match command {
        VtaCommand::Run(args) => run::run(args, printer),
        VtaCommand::Trace(args) => trace::run(args, printer),
        VtaCommand::Disasm(args) => text::disassemble(args, printer),
        VtaCommand::Asm(args) => text::assemble(args, printer),
        VtaCommand::Info(args) => info::run(args, printer),
    }
}

fn load(path: &Path) -> Result<Program, CliError> {
    program::load(path).map_err(|error| {
        let hint = match &error {
            ProgramError::Io { .. } => "",
            ProgramError::Config(_) => "`arco-tvm vta info` explains a geometry",
            _ => "docs/guide/vta-programs.md describes the three forms of a program",
        };
        let message = match &error {
            ProgramError::Io { .. } => format!("cannot read the program {error}"),
            error => format!("{}: {error}", path.display()),
        };
        CliError::new(ExitCode::Failure, message, hint)
    })
}

/// A program that does not run to its end.
fn stopped(name: &str, error: &impl std::fmt::Display) -> CliError {
    CliError::new(
        ExitCode::Failure,
        format!("{name}: {error}"),
        "`arco-tvm vta disasm --code` numbers the instructions",
    )
}
