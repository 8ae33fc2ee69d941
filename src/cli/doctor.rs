//! `arco-tvm doctor`: what is there, what is missing, and what to do about it.

use std::time::{Duration, Instant};

use serde_json::Value;
use tvm_rt::{DataType, Device, NDArray, Tvm};

use crate::frontend::Frontend;
use crate::measure::{Endpoint, Peer, Role, Tracker, TrackerAddress};

use super::args::DoctorArgs;
use super::context::{Context, find_host};
use super::error::CliError;
use super::exit_code::ExitCode;
use super::printer::Printer;
use super::settings::SettingsFile;

/// How long a device may take to copy a few bytes.
const TRIFLE: Duration = Duration::from_secs(10);

/// What was found, in the order it was looked at.
struct Findings {
    printer: Printer,
    /// The first thing that is wrong decides the exit code.
    wrong: Option<ExitCode>,
}

impl Findings {
    fn good(&self, what: &str, found: impl AsRef<str>) {
        self.printer
            .result(format!("[ ok ] {what}: {}", found.as_ref()));
    }

    fn bad(&mut self, what: &str, error: &CliError) {
        self.printer
            .result(format!("[FAIL] {what}: {}", error.message));
        if !error.hint.is_empty() {
            self.printer.result(format!("       {}", error.hint));
        }
        self.wrong.get_or_insert(error.code);
    }
}

/// Runs the command.
///
/// # Errors
/// When tracker or key make no sense; what else is wrong is in the output and the exit code.
pub async fn run(
    args: &DoctorArgs,
    settings: &SettingsFile,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let tracker = settings.tracker(args.tracker.as_ref())?;
    let key = args.key.as_deref().or(settings.key.as_deref());
    if tracker.is_none() && args.key.is_some() {
        return Err(CliError::new(
            ExitCode::Usage,
            "--key is given without --tracker",
            "a device at a tracker needs --tracker HOST:PORT and --key KEY",
        ));
    }
    let mut findings = Findings {
        printer,
        wrong: None,
    };
    look_at_host(args, settings, &mut findings).await;
    if let Some(address) = tracker {
        look_at_tracker(&address, key, &mut findings).await;
    }
    Ok(findings.wrong.unwrap_or(ExitCode::Success))
}

async fn look_at_host(args: &DoctorArgs, settings: &SettingsFile, findings: &mut Findings) {
    match find_host(&args.host, settings) {
        Ok(host) => findings.good(
            "Python",
            format!("{} ({})", host.python.display(), host.chosen_by.name()),
        ),
        Err(error) => return findings.bad("Python", &error),
    }
    let context = match Context::open(&args.host, settings) {
        Ok(context) => context,
        Err(error) => return findings.bad("TVM", &error),
    };
    match Tvm::get() {
        Ok(tvm) => findings.good(
            "TVM",
            format!("{}, {}", tvm.version(), tvm.path().display()),
        ),
        Err(error) => return findings.bad("TVM", &error.into()),
    }
    match look_at_frontend(&context, findings).await {
        Ok(()) => {}
        Err(error) => return findings.bad("TVM RPC server", &error),
    }
    match time_local_device(&context).await {
        Ok(took) => findings.good(
            "local device",
            format!(
                "a server on this machine answers in {:.1} ms",
                took.as_secs_f64() * 1e3
            ),
        ),
        Err(error) => findings.bad("local device", &error),
    }
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
    match which("g++")
        .or_else(|| which("c++"))
        .or_else(|| which("gcc"))
    {
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

fn which(program: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .map(|found| found.display().to_string())
}

/// Starts a device server, sends it an array and reads the array back.
async fn time_local_device(context: &Context) -> Result<Duration, CliError> {
    let mut peer = Peer::new(Endpoint::Local {
        host: context.host.clone(),
        role: Role::Device,
        log: context.logs().join("device.log"),
        cores: None,
    });
    peer.open().await?;
    let answered = echo(&mut peer).await;
    peer.shut_down().await;
    answered
}

async fn echo(peer: &mut Peer) -> Result<Duration, CliError> {
    let start = Instant::now();
    let same = peer
        .call(TRIFLE, |session| {
            let sent: Vec<f32> = (0..256u16).map(f32::from).collect();
            let array = NDArray::empty(&[256], DataType::FLOAT32, session.device(Device::cpu(0)))?;
            array.copy_from_slice(&sent)?;
            Ok(array.to_vec::<f32>()? == sent)
        })
        .await
        .map_err(|error| CliError::new(ExitCode::Device, error.to_string(), ""))?;
    if same {
        Ok(start.elapsed())
    } else {
        Err(CliError::new(
            ExitCode::Device,
            "it returned other numbers than it was sent",
            "",
        ))
    }
}

async fn look_at_tracker(address: &TrackerAddress, key: Option<&str>, findings: &mut Findings) {
    let summary = async { Tracker::connect(address).await?.summary().await };
    match summary.await {
        Ok(summary) => findings.good("tracker", format!("{address}, {}", describe_keys(&summary))),
        Err(error) => {
            let error = crate::measure::PeerError::from(error).into();
            return findings.bad("tracker", &error);
        }
    }
    let Some(key) = key else {
        return;
    };
    let mut peer = Peer::new(Endpoint::Tracker {
        address: address.clone(),
        key: key.to_owned(),
        patience: TRIFLE,
        lease: TRIFLE,
    });
    match echo(&mut peer).await {
        Ok(took) => findings.good(
            "tracked device",
            format!(
                "`{key}` answers in {:.1} ms, connecting included",
                took.as_secs_f64() * 1e3
            ),
        ),
        Err(error) => findings.bad("tracked device", &error),
    }
    peer.shut_down().await;
}

/// `pi: 2 free, 0 waiting` for each key of the tracker's summary.
fn describe_keys(summary: &Value) -> String {
    let keys: Vec<String> = summary["queue_info"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, info)| {
            format!(
                "`{key}`: {} free, {} waiting",
                info["free"], info["pending"]
            )
        })
        .collect();
    if keys.is_empty() {
        "no device has registered".to_owned()
    } else {
        keys.join("; ")
    }
}
