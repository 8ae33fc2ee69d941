//! Settings, resolved once: command line, then environment (clap reads both), then arco.toml, then defaults.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::measure::TrackerAddress;
use crate::strategy::StrategyKind;

use super::error::CliError;
use super::exit_code::ExitCode;

/// arco.toml: every key is the long option of the same name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingsFile {
    /// Python that hosts TVM.
    pub python: Option<PathBuf>,
    /// Target.
    pub target: Option<String>,
    /// Strategy by name.
    pub strategy: Option<String>,
    /// Seed.
    pub seed: Option<u64>,
    /// Trials for each task.
    pub trials_per_task: Option<usize>,
    /// Trials without anything better that end a task.
    pub early_stopping: Option<usize>,
    /// Tracker as HOST:PORT.
    pub tracker: Option<String>,
    /// Key at the tracker.
    pub key: Option<String>,
    /// Runs per repeat.
    pub number: Option<u32>,
    /// Repeats.
    pub repeat: Option<u32>,
    /// Least milliseconds of a repeat.
    pub min_repeat_ms: Option<u32>,
    /// Seconds between candidates.
    pub cooldown: Option<f64>,
    /// Whether to empty CPU caches.
    pub flush_cpu_cache: bool,
    /// Builder processes.
    pub builders: Option<usize>,
    /// Builders from the tracker.
    pub remote_builders: Option<usize>,
    /// Devices.
    pub devices: Option<usize>,
    /// Cores of local devices, such as `2-3`.
    pub device_cores: Option<String>,
    /// Compiler to link with for a device of another kind.
    pub cross_cc: Option<String>,
    /// Minutes for a run.
    pub time: Option<f64>,
    /// Seconds for a build.
    pub build_timeout: Option<f64>,
    /// Seconds for a run.
    pub run_timeout: Option<f64>,
}

impl SettingsFile {
    /// Reads the file named, or arco.toml of this folder if it exists.
    ///
    /// # Errors
    /// When it cannot be read or has an unknown key.
    pub fn load(named: Option<&Path>) -> Result<Self, CliError> {
        let path = named.unwrap_or(Path::new("arco.toml"));
        if named.is_none() && !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path).map_err(|error| {
            CliError::new(
                ExitCode::Usage,
                format!("cannot read the settings file {}: {error}", path.display()),
                "name a file that is there with --config, or leave it out: all settings have defaults",
            )
        })?;
        toml::from_str(&text).map_err(|error| {
            CliError::new(
                ExitCode::Usage,
                // TOML's own message shows the line, and ends with a line break.
                format!("settings file {}: {}", path.display(), error.to_string().trim_end()),
                "its keys are the long options without the dashes, such as `python` or `min-repeat-ms`",
            )
        })
    }

    /// The target: from the command line, or from the file.
    ///
    /// # Errors
    /// When neither names one.
    pub fn target(&self, argument: Option<&str>) -> Result<String, CliError> {
        argument
            .map(str::to_owned)
            .or_else(|| self.target.clone())
            .ok_or_else(|| {
                CliError::new(
                    ExitCode::Usage,
                    "no target is given",
                    "add --target 'llvm -mcpu=native' for this machine's CPU, or set `target` in arco.toml",
                )
            })
    }

    /// The strategy: from the command line, or from the file, or the default.
    ///
    /// # Errors
    /// When the file names an unknown one.
    pub fn strategy(&self, argument: Option<StrategyKind>) -> Result<StrategyKind, CliError> {
        match (argument, &self.strategy) {
            (Some(kind), _) => Ok(kind),
            (None, Some(name)) => name.parse().map_err(|error| {
                CliError::new(
                    ExitCode::Usage,
                    format!("settings file: {error}"),
                    "name one of these with `strategy`, or with --strategy",
                )
            }),
            (None, None) => Ok(StrategyKind::default()),
        }
    }

    /// The tracker: from the command line, or from the file.
    ///
    /// # Errors
    /// When the file's address is none.
    pub fn tracker(
        &self,
        argument: Option<&TrackerAddress>,
    ) -> Result<Option<TrackerAddress>, CliError> {
        match (argument, &self.tracker) {
            (Some(address), _) => Ok(Some(address.clone())),
            (None, Some(text)) => text.parse().map(Some).map_err(|error: String| {
                CliError::new(ExitCode::Usage, format!("arco.toml: tracker: {error}"), "")
            }),
            (None, None) => Ok(None),
        }
    }
}
