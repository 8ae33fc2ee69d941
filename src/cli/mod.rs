//! The command line: arguments, then settings, then one function for each command.

mod args;
mod asktell;
mod codesign;
mod context;
mod doctor;
mod error;
mod exit_code;
mod fleet;
mod format;
mod gpu;
mod log;
mod printer;
mod progress;
mod progress_json;
mod record;
mod records;
mod replay;
mod serve;
mod settings;
mod simulated;
mod tasks;
mod tune;
mod verify;
mod vta;

use clap::Parser;

pub use exit_code::ExitCode;

use args::{Cli, Command};
use context::interruptible;
use error::CliError;
use printer::Printer;
use settings::SettingsFile;

/// Runs the program and returns its exit status.
pub fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.quiet);
    let code = run(&cli, printer).unwrap_or_else(|error| {
        printer.error(&error);
        error.code
    });
    code.into()
}

fn run(cli: &Cli, printer: Printer) -> Result<ExitCode, CliError> {
    let settings = SettingsFile::load(cli.config.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::new(ExitCode::Failure, format!("cannot start: {error}"), ""))?;
    let done = runtime.block_on(async {
        match &cli.command {
            Command::Record(args) => record::run(args.as_ref(), &settings, printer).await,
            Command::Tune(args) => tune::run(args, &settings, printer).await,
            Command::Codesign(args) => codesign::run(args.as_ref(), &settings, printer).await,
            Command::Verify(args) => interruptible(verify::run(args, &settings, printer)).await,
            Command::Tasks(args) => interruptible(tasks::run(args, &settings, printer)).await,
            Command::Doctor(args) => interruptible(doctor::run(args, &settings, printer)).await,
            Command::Log(args) => log::run(args, printer),
            Command::Asktell(args) => asktell::run(args, &settings, printer),
            Command::Replay(args) => replay::run(args, printer),
            Command::Serve(command) => serve::run(command, &settings),
            Command::Vta(command) => vta::run(command, printer),
        }
    });
    // A thread that hangs in a call to a dead server must not keep the program.
    runtime.shutdown_background();
    done
}
