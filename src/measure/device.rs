//! Devices: they load a candidate's library and time its kernel.

use std::sync::Arc;
use std::time::Duration;

use tvm_rt::rpc::{Session, TimeEvaluator, TimeOptions};
use tvm_rt::{ArgValue, DataType, Device, DeviceType, NDArray};

use crate::record::ErrorNo;

use super::attributes::{GpuAttributes, exists};
use super::build::{ArgumentSpec, Built};
use super::failure::Failure;
use super::peer::{CallError, Endpoint, Peer, PeerError};

/// How candidates are timed, in AutoTVM's terms.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Runs in one repeat, whose mean is one cost.
    pub number: u32,
    /// Repeats; of more than two the fastest and the slowest are dropped.
    pub repeat: u32,
    /// Least milliseconds of a repeat; `number` grows until it takes as long.
    pub min_repeat_ms: u32,
    /// Pause after each candidate.
    pub cooldown: Duration,
    /// Whether a CPU's caches are emptied before each repeat, the first argument's aside.
    pub flush_cpu_cache: bool,
    /// Longest time for one candidate.
    pub limit: Duration,
    /// What is called on the device before each candidate: a function, and the text that it takes. A simulated
    /// accelerator gets its geometry so.
    pub setup: Vec<(String, String)>,
    /// Whether the device computes its time from the program alone: then the same program is not run again, and what its
    /// arguments hold does not matter.
    pub computed: bool,
}

impl Default for RunOptions {
    /// The defaults of AutoTVM's `LocalRunner`.
    fn default() -> Self {
        Self {
            number: 4,
            repeat: 3,
            min_repeat_ms: 0,
            cooldown: Duration::from_millis(100),
            flush_cpu_cache: false,
            limit: Duration::from_secs(10),
            setup: Vec::new(),
            computed: false,
        }
    }
}

/// Times candidates on one device, one after the other.
#[derive(Debug)]
pub struct MeasureDevice {
    peer: Peer,
    device: Device,
    options: RunOptions,
}

impl MeasureDevice {
    /// A device for code of this type that is not connected yet.
    pub fn new(endpoint: Endpoint, device_type: DeviceType, options: RunOptions) -> Self {
        Self {
            peer: Peer::new(endpoint),
            device: Device::new(device_type, 0),
            options,
        }
    }

    /// Opens a session, so that the first candidate need not wait, and asks whether the device is there: a runtime that
    /// lacks it would fail every candidate, and RPC loses the reason.
    ///
    /// # Errors
    /// When there is no device to be had.
    pub async fn open(&mut self) -> Result<(), PeerError> {
        self.peer.open().await?;
        let device = self.device;
        let asked = self
            .peer
            .call(TRIFLE, move |session| exists(session.device(device)));
        match asked.await {
            Ok(false) => Err(PeerError::NoSuchDevice {
                place: self.peer.place(),
                device_type: device.device_type,
            }),
            Err(CallError::Unreachable(error)) => Err(error),
            // Whatever else is wrong, the first candidate tells more of it.
            Ok(true) | Err(_) => Ok(()),
        }
    }

    /// What the device says of itself; `None` if it is no GPU.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn gpu_attributes(&mut self) -> Result<Option<GpuAttributes>, CallError> {
        let device = self.device;
        self.peer
            .call(TRIFLE, move |session| {
                GpuAttributes::of(session.device(device))
            })
            .await
    }

    /// Whether it was lost, and is to be had again from the tracker.
    pub const fn is_lost(&self) -> bool {
        self.peer.is_lost()
    }

    /// Ends the session and a server of ours.
    pub async fn shut_down(self) {
        self.peer.shut_down().await;
    }

    /// Times a candidate: seconds of one run, one figure per repeat.
    ///
    /// # Errors
    /// The outer one when there is no device any more, the inner one when the candidate fails.
    pub async fn run(
        &mut self,
        built: &Arc<Built>,
    ) -> Result<Result<Vec<f64>, Failure>, PeerError> {
        let mut timed = self.time(built).await;
        if matches!(timed, Err(CallError::LeaseExpired)) {
            // Not the candidate's fault.
            timed = self.time(built).await;
        }
        tokio::time::sleep(self.options.cooldown).await;
        match timed {
            Ok(costs) => Ok(Ok(without_extremes(costs))),
            Err(CallError::Unreachable(error)) => Err(error),
            Err(CallError::TimedOut { .. }) => {
                Ok(Err(Failure::new(ErrorNo::RunTimeout, "run timed out")))
            }
            Err(CallError::LeaseExpired) => Ok(Err(Failure::new(
                ErrorNo::RunTimeout,
                "the device ended the session twice",
            ))),
            Err(CallError::Died(error)) => Ok(Err(Failure {
                error_no: ErrorNo::RuntimeDevice,
                kind: "the kernel's process died".to_owned(),
                text: error.to_string(),
            })),
            Err(CallError::Remote(error)) => {
                let text = error.to_string();
                Ok(Err(Failure::new(ErrorNo::RuntimeDevice, text)))
            }
        }
    }
}

impl MeasureDevice {
    async fn time(&mut self, built: &Arc<Built>) -> Result<Vec<f64>, CallError> {
        let (device, options, built) = (self.device, self.options.clone(), Arc::clone(built));
        self.peer
            .call(self.options.limit, move |session| {
                time_on(session, device, &built, &options)
            })
            .await
    }
}

/// How long a session may take to say whether it has a device.
const TRIFLE: Duration = Duration::from_secs(10);

fn time_on(
    session: &Session,
    device: Device,
    built: &Built,
    options: &RunOptions,
) -> tvm_rt::Result<Vec<f64>> {
    for (function, argument) in &options.setup {
        session
            .get_function(function)?
            .call(&[argument.as_str().into()])?;
    }
    let library = format!("candidate.{}", built.format);
    session.upload(&library, &built.library)?;
    let module = session.load_module(&library)?;
    let remote = session.device(device);
    let arguments = arguments(session, remote, &built.arguments, !options.computed)?;
    let f_preproc = if options.flush_cpu_cache {
        "cache_flush_cpu_non_first_arg".to_owned()
    } else {
        String::new()
    };
    let evaluator = TimeEvaluator::new(
        &module,
        &built.function,
        remote,
        &TimeOptions {
            number: options.number,
            repeat: options.repeat,
            min_repeat_ms: options.min_repeat_ms,
            f_preproc,
            ..TimeOptions::default()
        },
    )?;
    let values: Vec<ArgValue<'_>> = arguments.iter().map(ArgValue::from).collect();
    let costs = evaluator.run(&values);
    session.remove(&library)?;
    costs
}

/// Arguments, `filled` as AutoTVM fills them where that matters: zeros would make some kernels faster than they are.
fn arguments(
    session: &Session,
    remote: Device,
    specs: &[ArgumentSpec],
    filled: bool,
) -> tvm_rt::Result<Vec<NDArray>> {
    let fill = filled
        .then(|| session.get_function("tvm.contrib.random.random_fill"))
        .transpose()?;
    specs
        .iter()
        .map(|spec| {
            let array = NDArray::empty(&spec.shape, spec.dtype.parse::<DataType>()?, remote)?;
            if let Some(fill) = &fill {
                fill.call(&[(&array).into()])?;
            }
            Ok(array)
        })
        .collect()
}

/// What AutoTVM's runner does: of more than two repeats, the fastest and the slowest do not count.
fn without_extremes(mut costs: Vec<f64>) -> Vec<f64> {
    if costs.len() > 2 {
        costs.sort_by(f64::total_cmp);
        costs.remove(0);
        costs.pop();
    }
    costs
}
