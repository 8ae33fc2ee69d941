//! An error as the user sees it: what happened, what to do next, and the exit code.

use tvm_rt::DeviceType;

use crate::frontend::FrontendError;
use crate::measure::{HostError, PeerError, TrackerError};
use crate::record::AppendError;
use crate::shim::ShimError;
use crate::tuning::TuneError;

use super::exit_code::ExitCode;

/// Ends a command.
#[derive(Debug)]
pub struct CliError {
    /// The exit status.
    pub code: ExitCode,
    /// What happened.
    pub message: String,
    /// What to do next; may be empty.
    pub hint: String,
}

impl CliError {
    /// An error with a hint.
    pub fn new(code: ExitCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        Self::new(ExitCode::NoTvm, error.to_string(), error.hint())
    }
}

impl From<tvm_rt::Error> for CliError {
    fn from(error: tvm_rt::Error) -> Self {
        Self::new(
            ExitCode::NoTvm,
            error.to_string(),
            "`arco-tvm doctor` looks at the installation",
        )
    }
}

impl From<ShimError> for CliError {
    fn from(error: ShimError) -> Self {
        Self::new(ExitCode::Device, error.to_string(), error.hint())
    }
}

impl From<PeerError> for CliError {
    fn from(error: PeerError) -> Self {
        let hint = match &error {
            PeerError::Tracker(
                TrackerError::Unreachable { .. } | TrackerError::NotATracker { .. },
            ) => {
                "start one with `python -m tvm.exec.rpc_tracker --host 0.0.0.0 --port 9190`, or mend --tracker"
            }
            PeerError::Tracker(TrackerError::NoDevice { .. }) => {
                "`arco-tvm doctor --tracker HOST:PORT` lists the keys that the tracker knows"
            }
            PeerError::NoSuchDevice { device_type, .. } if *device_type == DeviceType::OPENCL => {
                "its OpenCL loader finds no driver (`clinfo` lists them), or TVM there has no OpenCL runtime \
                 (`arco-tvm doctor --target opencl` looks at this machine): install the driver of the GPU, or PoCL to \
                 run on the CPU (Debian: apt install pocl-opencl-icd)"
            }
            PeerError::NoSuchDevice { .. } => {
                "the TVM that serves it must be built with that runtime (`arco-tvm doctor` lists those of this one): \
                 name another with --python, or a device elsewhere with --tracker and --key"
            }
            _ => "`arco-tvm doctor` looks at the installation",
        };
        Self::new(ExitCode::Device, error.to_string(), hint)
    }
}

impl From<FrontendError> for CliError {
    fn from(error: FrontendError) -> Self {
        match error {
            FrontendError::Refused { kind, text, hint } => {
                let code = match kind.as_str() {
                    "unknown-model" | "unreadable-model" | "dynamic-shape" => ExitCode::Model,
                    "bad-target" | "unknown-target" | "unsupported-target" | "unknown-cpu" => {
                        ExitCode::Target
                    }
                    "no-log" | "unreadable-log" => ExitCode::Log,
                    "no-device" => ExitCode::Device,
                    "bad-request" => ExitCode::Usage,
                    _ => ExitCode::Failure,
                };
                Self::new(code, text, hint)
            }
            FrontendError::Start(error) => error.into(),
            FrontendError::Call(crate::measure::CallError::Unreachable(error)) => error.into(),
            FrontendError::Call(_) | FrontendError::Description(_) => {
                Self::new(ExitCode::Failure, error.to_string(), "")
            }
        }
    }
}

impl From<AppendError> for CliError {
    fn from(error: AppendError) -> Self {
        let hint = match &error {
            AppendError::Open { .. } => "name a file that you may write with -o",
            AppendError::Locked { .. } => "wait for it to end, or name another log with -o",
            AppendError::Removed { .. } => {
                "nothing is lost: the same command writes it anew from the journal beside it"
            }
            AppendError::Append { .. } => {
                "every line before it is complete: make room and give the same command again to go on"
            }
        };
        Self::new(ExitCode::Log, error.to_string(), hint)
    }
}

impl From<TuneError> for CliError {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Measure(error) => error.into(),
            TuneError::Log(error) => error.into(),
            TuneError::Strategy { .. } => Self::new(
                ExitCode::Failure,
                error.to_string(),
                "what was measured is in the log; the same command goes on from there",
            ),
        }
    }
}
