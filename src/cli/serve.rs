//! `arco-tvm serve`: a device for others.

use std::os::unix::process::CommandExt;
use std::process::Command;

use super::args::{ServeCommand, ServeVtaArgs};
use super::context::find_host;
use super::error::CliError;
use super::exit_code::ExitCode;
use super::settings::SettingsFile;
use crate::measure::library_of_servers;

/// Runs the command: the server takes this process's place.
///
/// # Errors
/// When there is no usable TVM, or the server cannot be started.
pub fn run(command: &ServeCommand, settings: &SettingsFile) -> Result<ExitCode, CliError> {
    match command {
        ServeCommand::Vta(args) => serve_vta(args, settings),
    }
}

fn serve_vta(args: &ServeVtaArgs, settings: &SettingsFile) -> Result<ExitCode, CliError> {
    let host = find_host(&args.host, settings)?;
    let mut server = Command::new(&host.python);
    server
        .args(["-m", "vta.exec.rpc_server", "--host", &args.host_address])
        .args(["--port", &args.port.to_string()])
        .envs(library_of_servers());
    if let Some(geometry) = &args.geometry {
        server.args(["--config", geometry]);
    }
    if let Some(tracker) = &args.tracker {
        server.args(["--tracker", &tracker.to_string(), "--key", &args.key]);
    }
    let error = server.exec();
    Err(CliError::new(
        ExitCode::NoTvm,
        format!("cannot start {}: {error}", host.python.display()),
        "name another Python with --python",
    ))
}
