//! `arco-tvm doctor`: what is there, what is missing, and what to do about it.

mod host;
mod noise;
mod opencl;
mod sockets;
mod tracker;

use std::time::{Duration, Instant};

use tvm_rt::{DataType, Device, NDArray};

use crate::measure::Peer;

use super::args::{DoctorArgs, MeasureArgs};
use super::context::is_opencl;
use super::error::CliError;
use super::exit_code::ExitCode;
use super::fleet::run_options;
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
        self.say(" ok ", what, found.as_ref(), "");
    }

    /// Something that works and should be known.
    fn warn(&self, what: &str, found: impl AsRef<str>, advice: impl AsRef<str>) {
        self.say("warn", what, found.as_ref(), advice.as_ref());
    }

    /// Something that could not be looked at.
    fn skip(&self, what: &str, why: &str) {
        self.say("skip", what, why, "");
    }

    fn bad(&mut self, what: &str, error: &CliError) {
        self.say("FAIL", what, &error.message, &error.hint);
        self.wrong.get_or_insert(error.code);
    }

    fn say(&self, mark: &str, what: &str, found: &str, advice: &str) {
        self.printer.result(format!("[{mark}] {what}: {found}"));
        if !advice.is_empty() {
            self.printer.result(format!("       {advice}"));
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When options make no sense; what else is wrong is in the output and the exit code.
pub async fn run(
    args: &DoctorArgs,
    settings: &SettingsFile,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let address = settings.tracker(args.tracker.as_ref())?;
    let key = args.key.as_deref().or(settings.key.as_deref());
    if address.is_none() && args.key.is_some() {
        return Err(CliError::new(
            ExitCode::Usage,
            "--key is given without --tracker",
            "a device at a tracker needs --tracker HOST:PORT and --key KEY",
        ));
    }
    let run = run_options(&MeasureArgs::default(), settings)?;
    let target = args.target.as_deref().or(settings.target.as_deref());
    let mut findings = Findings {
        printer,
        wrong: None,
    };
    let mut context = host::look_at_host(args, settings, &mut findings).await;
    if let Some(context) = &mut context {
        // With a tracker, the target is that of its devices.
        let mut target = target.filter(|_| address.is_none());
        if target.is_some_and(is_opencl) && !opencl::look_at_opencl(context, &mut findings).await {
            // Said already: what is left to look at is the CPU.
            target = None;
        }
        host::look_at_device(context, target, &run, &mut findings).await;
    }
    if let Some(address) = address {
        let tracked = tracker::Tracked {
            address,
            key,
            target,
            cross_compiler: settings.cross_cc.clone(),
        };
        tracker::look_at_tracker(&tracked, context.as_ref(), &run, &mut findings).await;
    }
    Ok(findings.wrong.unwrap_or(ExitCode::Success))
}

/// Sends a device an array and reads it back.
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
