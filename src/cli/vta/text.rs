//! `arco-tvm vta disasm` and `arco-tvm vta asm`.

use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::printer::Printer;
use crate::vta::program::{Program, text};

use super::args::{AsmArgs, DisasmArgs};

/// Prints a program as text.
///
/// # Errors
/// A file that is no program, or cannot be written.
pub fn disassemble(args: &DisasmArgs, printer: Printer) -> Result<ExitCode, CliError> {
    let program = super::load(&args.program)?;
    let text = if args.code {
        listing(&program)
    } else {
        text::print(&program)
    };
    give(args.output.as_deref(), &text, printer)
}

fn listing(program: &Program) -> String {
    let mut launches = program.launches.iter();
    let mut out = String::new();
    if let Some(first) = launches.next() {
        out += &text::disassemble(&first.insns, &program.geometry);
    }
    for launch in launches {
        out += ".launch\n";
        out += &text::disassemble(&launch.insns, &program.geometry);
    }
    out
}

/// Makes a program file of text.
///
/// # Errors
/// A file that is no program, or cannot be written.
pub fn assemble(args: &AsmArgs, printer: Printer) -> Result<ExitCode, CliError> {
    let program = super::load(&args.program)?;
    let json = program.to_json().map_err(|error| {
        let message = format!("{}: {error}", args.program.display());
        CliError::new(ExitCode::Failure, message, "")
    })?;
    give(args.output.as_deref(), &json, printer)
}

fn give(output: Option<&Path>, text: &str, printer: Printer) -> Result<ExitCode, CliError> {
    let text = text.trim_end_matches('\n');
    match output {
        Some(path) => super::files::write(path, |out| writeln!(out, "{text}"))?,
        None => printer.result(text),
    }
    Ok(ExitCode::Success)
}
