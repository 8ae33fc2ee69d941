//! This machine: Python, TVM, compiler, and a device server of our own.

use std::time::Duration;

use tvm_rt::Tvm;

use crate::frontend::Frontend;
use crate::measure::{Endpoint, Peer, Role, RunOptions};

use super::super::args::DoctorArgs;
use super::super::context::{Context, find_host};
use super::super::error::CliError;
use super::super::exit_code::ExitCode;
use super::super::settings::SettingsFile;
use super::noise::{Place, look_at_noise};
use super::{Findings, echo};

/// What the noise of this machine is measured for when no target is given.
const THIS_CPU: &str = "llvm -mcpu=native";

/// Looks for Python, TVM and what they need. Returns the context where enough is there to go on.
pub(super) async fn look_at_host(
    args: &DoctorArgs,
    settings: &SettingsFile,
    findings: &mut Findings,
) -> Option<Context> {
    let found = match find_host(&args.host, settings) {
        Ok(host) => format!("{} ({})", host.python.display(), host.chosen_by.name()),
        Err(error) => {
            findings.bad("Python", &error);
            return None;
        }
    };
    findings.good("Python", found);
    let context = match Context::open(&args.host, settings) {
        Ok(context) => context,
        Err(error) => {
            findings.bad("TVM", &error);
            return None;
        }
    };
    match Tvm::get() {
        Ok(tvm) => findings.good(
            "TVM",
            format!("{}, {}", tvm.version(), tvm.path().display()),
        ),
        Err(error) => {
            findings.bad("TVM", &error.into());
            return None;
        }
    }
    match look_at_frontend(&context, findings).await {
        Ok(()) => Some(context),
        Err(error) => {
            findings.bad("TVM RPC server", &error);
            None
        }
    }
}

/// Starts a device server on this machine, and measures how far its measurements lie apart.
pub(super) async fn look_at_device(
    context: &Context,
    target: Option<&str>,
    run: &RunOptions,
    findings: &mut Findings,
) {
    let endpoint = Endpoint::Local {
        host: context.host.clone(),
        role: Role::Device,
        log: context.logs().join("device.log"),
        cores: None,
    };
    match time_device(endpoint.clone()).await {
        Ok(took) => findings.good(
            "local device",
            format!(
                "a server on this machine answers in {:.1} ms",
                took.as_secs_f64() * 1e3
            ),
        ),
        Err(error) => return findings.bad("local device", &error),
    }
    if linker().is_none() {
        // Said already.
        return;
    }
    let place = Place {
        what: "this machine",
        endpoint,
        target: target.unwrap_or(THIS_CPU),
        cross_compiler: None,
    };
    look_at_noise(context, &place, run, findings).await;
}

async fn look_at_frontend(context: &Context, findings: &mut Findings) -> Result<(), CliError> {
    let mut frontend: Frontend = context.frontend().await?;
    let version = frontend.version().await;
    frontend.shut_down().await;
    let version = version?;
    findings.good(
        "package arco_tvm",
        format!("{} on Python {}", version.arco_tvm, version.python),
    );
    if version.llvm.is_empty() {
        findings.bad(
            "LLVM",
            &CliError::new(
                ExitCode::NoTvm,
                "this TVM has no LLVM, so it builds nothing for a CPU",
                "use a TVM 0.19 built with LLVM; `make venv` installs one",
            ),
        );
    } else {
        findings.good(
            "LLVM",
            format!(
                "{}, which calls this CPU {}",
                version.llvm, version.host_cpu
            ),
        );
    }
    findings.good("code generators", version.codegens.join(", "));
    findings.good("device runtimes", version.runtimes.join(", "));
    findings.good("cores", version.cores.to_string());
    match linker() {
        Some(compiler) => findings.good("linker", compiler),
        None => findings.bad(
            "linker",
            &CliError::new(
                ExitCode::Device,
                "no g++ on PATH, and builders link candidates with it",
                "install it (Debian: apt install g++)",
            ),
        ),
    }
    Ok(())
}

/// What builders link candidates with.
fn linker() -> Option<String> {
    ["g++", "c++", "gcc"].into_iter().find_map(which)
}

fn which(program: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .map(|found| found.display().to_string())
}

async fn time_device(endpoint: Endpoint) -> Result<Duration, CliError> {
    let mut peer = Peer::new(endpoint);
    let answered = async {
        peer.open().await?;
        echo(&mut peer).await
    };
    let answered = answered.await;
    peer.shut_down().await;
    answered
}
