//! Settings, resolved once: command line, then environment (clap reads both), then arco.toml, then defaults.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::measure::{
    BuildOptions, CoreSharing, Endpoint, PipelineOptions, RunOptions, TrackerAddress,
};
use crate::strategy::StrategyKind;

use super::args::MeasureArgs;
use super::error::CliError;
use super::exit_code::ExitCode;

/// How long to wait for a device from the tracker.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a device from the tracker is held at a time.
const LEASE: Duration = Duration::from_secs(60);

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
        let wrong = |reason: String| {
            CliError::new(
                ExitCode::Usage,
                format!("settings file {}: {reason}", path.display()),
                "its keys are the long options without the dashes, such as `python` or `min-repeat-ms`",
            )
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))
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
            (None, Some(name)) => name
                .parse()
                .map_err(|error| CliError::new(ExitCode::Usage, format!("arco.toml: {error}"), "")),
            (None, None) => Ok(StrategyKind::default()),
        }
    }

    /// The tracker and the key of the device there, when one is to be used.
    ///
    /// # Errors
    /// When one of the two is missing, or the file's address is none.
    pub fn tracked(
        &self,
        args: &MeasureArgs,
    ) -> Result<Option<(TrackerAddress, String)>, CliError> {
        let usage = |message: String| {
            CliError::new(
                ExitCode::Usage,
                message,
                "a device at a tracker needs --tracker HOST:PORT and --key KEY",
            )
        };
        let tracker = match (&args.tracker, &self.tracker) {
            (Some(address), _) => Some(address.clone()),
            (None, Some(text)) => Some(text.parse().map_err(usage)?),
            (None, None) => None,
        };
        let key = args.key.clone().or_else(|| self.key.clone());
        match (tracker, key) {
            (Some(tracker), Some(key)) => Ok(Some((tracker, key))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(usage("--tracker is given without --key".to_owned())),
            (None, Some(_)) => Err(usage("--key is given without --tracker".to_owned())),
        }
    }

    /// How candidates are built and measured.
    ///
    /// # Errors
    /// When a number makes no sense.
    pub fn pipeline(
        &self,
        args: &MeasureArgs,
        device_type: tvm_rt::DeviceType,
    ) -> Result<PipelineOptions, CliError> {
        let default = RunOptions::default();
        let run = RunOptions {
            number: at_least_one("--number", args.number.or(self.number), default.number)?,
            repeat: at_least_one("--repeat", args.repeat.or(self.repeat), default.repeat)?,
            min_repeat_ms: args
                .min_repeat_ms
                .or(self.min_repeat_ms)
                .unwrap_or(default.min_repeat_ms),
            cooldown: seconds(
                "--cooldown",
                args.cooldown.or(self.cooldown),
                default.cooldown,
            )?,
            flush_cpu_cache: args.flush_cpu_cache || self.flush_cpu_cache,
            limit: seconds(
                "--run-timeout",
                args.run_timeout.or(self.run_timeout),
                default.limit,
            )?,
        };
        let limit = seconds(
            "--build-timeout",
            args.build_timeout.or(self.build_timeout),
            Duration::from_secs(10),
        )?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let tracked = self.tracked(args)?.map(|(address, key)| Endpoint::Tracker {
            address,
            key,
            patience: PATIENCE,
            lease: LEASE,
        });
        Ok(PipelineOptions {
            builders: at_least_one("--builders", args.builders.or(self.builders), cores)?,
            build: BuildOptions { limit },
            run,
            devices: 1,
            device_type,
            sharing: if tracked.is_some() {
                CoreSharing::Separate
            } else {
                CoreSharing::BuildersPause
            },
            tracked,
        })
    }
}

fn at_least_one<T: PartialOrd + From<u8>>(
    option: &str,
    value: Option<T>,
    default: T,
) -> Result<T, CliError> {
    let value = value.unwrap_or(default);
    if value < T::from(1) {
        return Err(CliError::new(
            ExitCode::Usage,
            format!("{option} must be at least 1"),
            "",
        ));
    }
    Ok(value)
}

fn seconds(option: &str, value: Option<f64>, default: Duration) -> Result<Duration, CliError> {
    value.map_or(Ok(default), |value| {
        Duration::try_from_secs_f64(value).map_err(|_| {
            CliError::new(
                ExitCode::Usage,
                format!("{option} must be a number of seconds, not {value}"),
                "",
            )
        })
    })
}
