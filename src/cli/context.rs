//! What every command that needs TVM starts with: the Python host, libtvm in this process, a folder for output.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tvm_rt::Tvm;

use crate::frontend::{Frontend, ModelDetails, ModelSpec};
use crate::measure::{PeerError, PythonHost, Tracker, TrackerAddress};
use crate::opencl;

use super::args::{HostArgs, ModelArgs};
use super::error::CliError;
use super::exit_code::ExitCode;
use super::printer::Printer;
use super::settings::SettingsFile;
use super::simulated::Accelerator;

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

    /// The context in which servers import what a target needs.
    #[must_use]
    pub fn for_target(mut self, target: &str) -> Self {
        self.host.imports = Accelerator::of_target(target)
            .map(|_| Accelerator::MODULE.to_owned())
            .into_iter()
            .collect();
        self
    }

    /// The context in which frontend and devices have a runtime for the target, where this TVM was built without it and
    /// one can be made for it: OpenCL. `local` says whether there are devices of ours.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn with_runtime(
        mut self,
        target: &str,
        local: bool,
        printer: Printer,
    ) -> Result<Self, CliError> {
        if is_opencl(target) && local && !opencl::is_built_in() {
            let library = opencl::library(&self.host.libtvm, || {
                printer.note("compiling TVM's OpenCL runtime for this TVM, once: some ten seconds");
            })?;
            self.host.libraries.push(library);
        }
        Ok(self)
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

/// Whether a target's text means OpenCL.
pub fn is_opencl(target: &str) -> bool {
    target.split_whitespace().next() == Some("opencl")
}

/// The Python that hosts TVM.
///
/// # Errors
/// When there is none with TVM 0.19 and our package.
pub fn find_host(args: &HostArgs, settings: &SettingsFile) -> Result<PythonHost, CliError> {
    let python: Option<PathBuf> = args.python.clone().or_else(|| settings.python.clone());
    Ok(PythonHost::find(python.as_deref())?)
}

/// Does `work` unless Ctrl-C comes first. Servers that it started end with it.
///
/// # Errors
/// Those of the work, or that it was interrupted.
pub async fn interruptible<T, E: Into<CliError>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, CliError> {
    tokio::select! {
        done = work => done.map_err(Into::into),
        Ok(()) = tokio::signal::ctrl_c() => {
            Err(CliError::new(ExitCode::Interrupted, "interrupted", ""))
        }
    }
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
    let shapes = args.input_shape.iter();
    let details = ModelDetails {
        params: args.params.clone(),
        batch: args.batch,
        format: args.format.clone(),
        shapes: shapes
            .map(|input| (input.name.clone(), input.shape.clone()))
            .collect(),
    };
    ModelSpec::new(&args.model, details)
}
