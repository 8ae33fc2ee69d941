//! What every command that needs TVM starts with: the Python host, libtvm in this process, a folder for output.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tvm_rt::Tvm;

use crate::frontend::{Frontend, ModelSpec};
use crate::measure::{PeerError, PythonHost, Tracker, TrackerAddress};

use super::args::{HostArgs, ModelArgs};
use super::error::CliError;
use super::exit_code::ExitCode;
use super::settings::SettingsFile;

/// The host and where servers write what they print.
#[derive(Debug)]
pub struct Context {
    /// The Python that hosts TVM.
    pub host: PythonHost,
    folder: TempDir,
}

impl Context {
    /// Finds the host and loads its libtvm into this process.
    ///
    /// # Errors
    /// When there is no usable TVM.
    pub fn open(args: &HostArgs, settings: &SettingsFile) -> Result<Self, CliError> {
        let host = find_host(args, settings)?;
        Tvm::load(&host.libtvm)?;
        let folder = tempfile::Builder::new()
            .prefix("arco-tvm-")
            .tempdir()
            .map_err(|error| {
                CliError::new(
                    ExitCode::Failure,
                    format!("cannot make a temporary folder: {error}"),
                    "set TMPDIR to a folder that you may write",
                )
            })?;
        Ok(Self { host, folder })
    }

    /// The folder for servers' output. It goes with the command.
    pub fn logs(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the frontend.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn frontend(&self) -> Result<Frontend, CliError> {
        Ok(Frontend::start(&self.host, self.logs()).await?)
    }
}

/// The Python that hosts TVM.
///
/// # Errors
/// When there is none with TVM 0.19 and our package.
pub fn find_host(args: &HostArgs, settings: &SettingsFile) -> Result<PythonHost, CliError> {
    let python: Option<PathBuf> = args.python.clone().or_else(|| settings.python.clone());
    Ok(PythonHost::find(python.as_deref())?)
}

/// Makes sure that the tracker is there, before minutes are spent on the model.
///
/// # Errors
/// When nobody listens there, or somebody else.
pub async fn greet_tracker(tracker: Option<&TrackerAddress>) -> Result<(), CliError> {
    if let Some(address) = tracker {
        Tracker::connect(address).await.map_err(PeerError::from)?;
    }
    Ok(())
}

/// The model that the command line names.
pub fn model_spec(args: &ModelArgs) -> ModelSpec {
    ModelSpec::new(&args.model, args.params.as_deref(), args.batch)
}
