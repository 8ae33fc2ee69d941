//! Which builders and devices a command uses: processes of this machine, and what TVM's tracker has.

use std::time::Duration;

use tvm_rt::DeviceType;

use crate::measure::{
    BuildOptions, CoreSet, CoreSharing, Endpoint, MOST_SESSIONS, PipelineOptions, Role, RunOptions,
    TrackerAddress,
};

use super::args::MeasureArgs;
use super::context::Context;
use super::error::CliError;
use super::exit_code::ExitCode;
use super::settings::SettingsFile;
use super::simulated::Accelerator;

/// How long to wait for a device from the tracker.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a device from the tracker is held at a time.
const LEASE: Duration = Duration::from_secs(60);
/// The key under which builders register at a tracker.
const BUILDER_KEY: &str = "arco-builder";

/// Builders and devices of one run: each has a session, so has the frontend, and a few may still be held by what hangs.
const MOST_PEERS: usize = MOST_SESSIONS - 4;

/// Builders and devices as the user asked for them.
#[derive(Clone, Debug)]
pub struct Fleet {
    builders: usize,
    remote_builders: usize,
    devices: usize,
    /// Cores of the local devices, where they have cores of their own.
    device_cores: Option<CoreSet>,
    tracker: Option<TrackerAddress>,
    /// Key of the devices at the tracker; without one they are local.
    key: Option<String>,
    build: BuildOptions,
    run: RunOptions,
    /// The simulated accelerator, if the target is one: its time is not that of the machine.
    accelerator: Option<Accelerator>,
}

fn usage(message: impl Into<String>, hint: &str) -> CliError {
    CliError::new(ExitCode::Usage, message, hint)
}

impl Fleet {
    /// What command line and settings file ask for.
    ///
    /// # Errors
    /// When a number makes no sense, or one option needs another.
    pub fn new(
        args: &MeasureArgs,
        settings: &SettingsFile,
        target: &str,
    ) -> Result<Self, CliError> {
        let accelerator = Accelerator::of_target(target);
        let tracker = settings.tracker(args.tracker.as_ref())?;
        let key = args.key.clone().or_else(|| settings.key.clone());
        let remote_builders = args
            .remote_builders
            .or(settings.remote_builders)
            .unwrap_or(0);
        let hint = "a device at a tracker needs --tracker HOST:PORT and --key KEY";
        if tracker.is_some() && key.is_none() && remote_builders == 0 {
            return Err(usage("--tracker is given without --key", hint));
        }
        if tracker.is_none() && key.is_some() {
            return Err(usage("--key is given without --tracker", hint));
        }
        if tracker.is_none() && remote_builders > 0 {
            return Err(usage(
                "--remote-builders is given without --tracker",
                "builders register with `python -m arco_tvm.serve builder --tracker HOST:PORT --key arco-builder`",
            ));
        }
        let devices = at_least_one("--devices", args.devices.or(settings.devices), 1)?;
        let device_cores = if accelerator.is_some() && args.device_cores.is_none() {
            None
        } else {
            device_cores(args, settings, key.is_some(), devices)?
        };
        let here = match &device_cores {
            Some(cores) => CoreSet::available().without(cores).len(),
            None => CoreSet::available().len(),
        };
        let builders = args.builders.or(settings.builders);
        let builders = if remote_builders > 0 {
            builders.unwrap_or(0)
        } else {
            let room = MOST_PEERS.saturating_sub(devices);
            at_least_one("--builders", builders, here.min(room).max(1))?
        };
        if builders + remote_builders + devices > MOST_PEERS {
            return Err(usage(
                format!(
                    "{} builders and {devices} devices are more than a run can hold: TVM has room for {MOST_SESSIONS} \
                     sessions, of which {MOST_PEERS} are for them",
                    builders + remote_builders
                ),
                "share the tasks or the devices among several runs with logs of their own, and put those together with \
                 `arco-tvm log merge`",
            ));
        }
        Ok(Self {
            builders,
            remote_builders,
            devices,
            device_cores,
            tracker,
            key,
            build: BuildOptions {
                limit: seconds(
                    "--build-timeout",
                    args.build_timeout.or(settings.build_timeout),
                    Duration::from_secs(10),
                )?,
                cross_compiler: args.cross_cc.clone().or_else(|| settings.cross_cc.clone()),
                gpu_limits: None,
            },
            run: run_options(args, settings)?,
            accelerator,
        })
    }

    /// The tracker, where one is used.
    pub const fn tracker(&self) -> Option<&TrackerAddress> {
        self.tracker.as_ref()
    }

    /// The device at a tracker that `verify` asks for itself: address and key.
    pub fn tracked(&self) -> Option<(String, String)> {
        Some((self.tracker.as_ref()?.to_string(), self.key.clone()?))
    }

    /// How builders and devices share cores.
    fn sharing(&self) -> CoreSharing {
        let apart = self.key.is_some()
            || self.device_cores.is_some()
            || self.accelerator.is_some()
            || self.builders == 0;
        if apart {
            CoreSharing::Separate
        } else {
            CoreSharing::BuildersPause
        }
    }

    /// The pipeline of this fleet for code for a target, as TVM normalised it, that runs on a kind of device.
    pub fn pipeline(
        &self,
        context: &Context,
        target: &str,
        device_type: DeviceType,
    ) -> PipelineOptions {
        let local = |role: Role, name: String, cores: Option<CoreSet>| Endpoint::Local {
            host: context.host.clone(),
            role,
            log: context.logs().join(name),
            cores,
        };
        let tracked = |address: &TrackerAddress, key: &str| Endpoint::Tracker {
            address: address.clone(),
            key: key.to_owned(),
            patience: PATIENCE,
            lease: LEASE,
        };
        let shares: Vec<Option<CoreSet>> = match &self.device_cores {
            Some(cores) => cores.split(self.devices).into_iter().map(Some).collect(),
            None => vec![None; self.devices],
        };
        let devices =
            shares
                .into_iter()
                .enumerate()
                .map(|(d, cores)| match (&self.tracker, &self.key) {
                    (Some(address), Some(key)) => tracked(address, key),
                    _ => local(Role::Device, format!("device-{d}.log"), cores),
                });
        let left = self
            .device_cores
            .as_ref()
            .map(|cores| CoreSet::available().without(cores));
        let here = (0..self.builders)
            .map(|b| local(Role::Builder, format!("builder-{b}.log"), left.clone()));
        let there = (0..self.remote_builders)
            .filter_map(|_| Some(tracked(self.tracker.as_ref()?, BUILDER_KEY)));
        PipelineOptions {
            builders: here.chain(there).collect(),
            build: self.build.clone(),
            devices: devices.collect(),
            run: match &self.accelerator {
                Some(accelerator) => accelerator.run_options(&self.run, target),
                None => self.run.clone(),
            },
            device_type,
            sharing: self.sharing(),
        }
    }

    /// One line about who builds and who measures.
    pub fn describe(&self) -> String {
        let many = |n: usize, what: &str| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        };
        let mut parts = Vec::new();
        if self.builders > 0 {
            parts.push(many(self.builders, "builder"));
        }
        if self.remote_builders > 0 {
            parts.push(many(self.remote_builders, "remote builder"));
        }
        parts.push(match (&self.tracker, &self.key, &self.device_cores) {
            (Some(address), Some(key), _) => {
                format!(
                    "{} `{key}` from the tracker {address}",
                    many(self.devices, "device")
                )
            }
            (_, _, Some(cores)) => {
                format!(
                    "{} on cores {cores} of this machine",
                    many(self.devices, "device")
                )
            }
            _ if self.accelerator.is_some() => {
                format!("{} simulated here", many(self.devices, "accelerator"))
            }
            _ => "measured on this machine".to_owned(),
        });
        if self.accelerator.is_some() && self.key.is_none() {
            return parts.join(", ");
        }
        format!("{}; {}", parts.join(", "), self.sharing())
    }
}

fn device_cores(
    args: &MeasureArgs,
    settings: &SettingsFile,
    tracked: bool,
    devices: usize,
) -> Result<Option<CoreSet>, CliError> {
    let cores = match (&args.device_cores, &settings.device_cores) {
        (Some(cores), _) => Some(cores.clone()),
        (None, Some(text)) => Some(
            text.parse()
                .map_err(|error: String| usage(format!("arco.toml: device-cores: {error}"), ""))?,
        ),
        (None, None) => None,
    };
    if tracked {
        // The devices' cores are elsewhere.
        return Ok(None);
    }
    let Some(cores) = cores else {
        if devices > 1 {
            return Err(usage(
                "several devices on this machine would disturb each other",
                "give them cores of their own with --device-cores, or use a tracker with --tracker and --key",
            ));
        }
        return Ok(None);
    };
    let available = CoreSet::available();
    if !cores.is_subset(&available) || available.without(&cores).is_empty() {
        return Err(usage(
            format!("--device-cores {cores}: this machine offers the cores {available}"),
            "name some of them, and leave at least one for the builders",
        ));
    }
    if cores.len() < devices {
        return Err(usage(
            format!("{devices} devices cannot share the cores {cores}"),
            "give each at least one",
        ));
    }
    Ok(Some(cores))
}

/// How candidates are timed.
///
/// # Errors
/// When a number makes no sense.
pub fn run_options(args: &MeasureArgs, settings: &SettingsFile) -> Result<RunOptions, CliError> {
    let default = RunOptions::default();
    Ok(RunOptions {
        number: at_least_one("--number", args.number.or(settings.number), default.number)?,
        repeat: at_least_one("--repeat", args.repeat.or(settings.repeat), default.repeat)?,
        min_repeat_ms: args
            .min_repeat_ms
            .or(settings.min_repeat_ms)
            .unwrap_or(default.min_repeat_ms),
        cooldown: seconds(
            "--cooldown",
            args.cooldown.or(settings.cooldown),
            default.cooldown,
        )?,
        flush_cpu_cache: args.flush_cpu_cache || settings.flush_cpu_cache,
        limit: seconds(
            "--run-timeout",
            args.run_timeout.or(settings.run_timeout),
            default.limit,
        )?,
        ..default
    })
}

fn at_least_one<T: PartialOrd + From<u8>>(
    option: &str,
    value: Option<T>,
    default: T,
) -> Result<T, CliError> {
    let value = value.unwrap_or(default);
    if value < T::from(1) {
        return Err(usage(format!("{option} must be at least 1"), ""));
    }
    Ok(value)
}

/// A number of seconds.
///
/// # Errors
/// When it is negative, no number, or too large.
pub fn seconds(option: &str, value: Option<f64>, default: Duration) -> Result<Duration, CliError> {
    value.map_or(Ok(default), |value| {
        Duration::try_from_secs_f64(value).map_err(|_| {
            usage(
                format!("{option} must be a number of seconds, not {value}"),
                "",
            )
        })
    })
}
