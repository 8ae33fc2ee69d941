//! Builders and a device together: a batch of candidates in, a measurement for each out, in order.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tvm_rt::DeviceType;

use crate::record::MeasureResult;
use crate::task::{ConfigEntity, Task};

use super::build::{BuildOptions, Builder, Built};
use super::device::{MeasureDevice, RunOptions};
use super::failure::Failure;
use super::peer::{Endpoint, PeerError};
use super::python_host::PythonHost;
use super::server::Role;

/// What a pool is made of.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// Number of builder processes on this machine.
    pub builders: usize,
    /// How candidates are built.
    pub build: BuildOptions,
    /// How candidates are timed.
    pub run: RunOptions,
    /// What code runs on.
    pub device_type: DeviceType,
    /// A device from the tracker; without one, a server on this machine.
    pub tracked: Option<Endpoint>,
}

/// A configuration of a task to be measured; without one, the schedule that TVM falls back to.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The task.
    pub task: Arc<Task>,
    /// The configuration.
    pub config: Option<ConfigEntity>,
}

/// What came of a candidate.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Seconds of one run, one per repeat, or why there are none.
    pub outcome: Result<Vec<f64>, Failure>,
    /// Time spent on building it.
    pub build: Duration,
    /// Time spent on running it.
    pub run: Duration,
    /// When it was finished.
    pub at: SystemTime,
}

impl Measurement {
    /// The measurement as AutoTVM's log keeps it.
    pub fn to_result(&self) -> MeasureResult {
        let (costs, error_no) = match &self.outcome {
            Ok(costs) => (costs.clone(), crate::record::ErrorNo::NoError),
            Err(failure) => (vec![1e9], failure.error_no),
        };
        let timestamp = self.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        MeasureResult {
            costs,
            error_no,
            all_cost: (self.build + self.run).as_secs_f64(),
            timestamp: timestamp.as_secs_f64(),
        }
    }
}

/// Builder processes and one device.
///
/// Builders and a local device share this machine's cores, and a busy neighbour doubles a kernel's time; so a batch is
/// built first, in parallel, and then measured, one candidate at a time, while nothing builds.
#[derive(Debug)]
pub struct Pool {
    builders: Vec<Arc<Mutex<Builder>>>,
    device: MeasureDevice,
}

impl Pool {
    /// Starts every process at once and waits until all are ready. Their output goes to files in `logs`.
    ///
    /// # Errors
    /// When one does not start or there is no device.
    pub async fn start(
        host: &PythonHost,
        options: &PoolOptions,
        logs: &Path,
    ) -> Result<Self, PeerError> {
        let local = |role: Role, name: String| Endpoint::Local {
            host: host.clone(),
            role,
            log: logs.join(name),
        };
        let device = options
            .tracked
            .clone()
            .unwrap_or_else(|| local(Role::Device, "device.log".to_owned()));
        let mut device = MeasureDevice::new(device, options.device_type, options.run.clone());
        let mut starting = JoinSet::new();
        for b in 0..options.builders {
            let endpoint = local(Role::Builder, format!("builder-{b}.log"));
            let mut builder = Builder::new(endpoint, options.build.clone());
            starting.spawn(async move { builder.open().await.map(|()| builder) });
        }
        device.open().await?;
        let mut builders = Vec::new();
        while let Some(started) = starting.join_next().await {
            builders.push(Arc::new(Mutex::new(joined(started)?)));
        }
        Ok(Self { builders, device })
    }

    /// How many candidates are built at once.
    pub fn parallel_builds(&self) -> usize {
        self.builders.len()
    }

    /// Measures a batch; the measurements come in the order of the candidates. `each` sees every one as it is made.
    ///
    /// # Errors
    /// When a builder or the device is lost for good. A candidate that fails is a measurement.
    pub async fn measure(
        &mut self,
        candidates: &[Candidate],
        mut each: impl FnMut(usize, &Measurement),
    ) -> Result<Vec<Measurement>, PeerError> {
        let built = self.build_all(candidates).await?;
        let mut measurements = Vec::with_capacity(candidates.len());
        for (position, (built, build)) in built.into_iter().enumerate() {
            let start = Instant::now();
            let outcome = match built {
                Ok(built) => self.device.run(built).await?,
                Err(failure) => Err(failure),
            };
            let measurement = Measurement {
                outcome,
                build,
                run: start.elapsed(),
                at: SystemTime::now(),
            };
            each(position, &measurement);
            measurements.push(measurement);
        }
        Ok(measurements)
    }

    /// Builds with every builder at once; results in the order of the candidates.
    async fn build_all(
        &self,
        candidates: &[Candidate],
    ) -> Result<Vec<(Result<Built, Failure>, Duration)>, PeerError> {
        let queue: Arc<[Candidate]> = candidates.into();
        let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let mut working = JoinSet::new();
        for builder in &self.builders {
            let (builder, queue, next) =
                (Arc::clone(builder), Arc::clone(&queue), Arc::clone(&next));
            working.spawn(async move {
                let mut builder = builder.lock().await;
                let mut done = Vec::new();
                loop {
                    let position = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(candidate) = queue.get(position) else {
                        return Ok::<_, PeerError>(done);
                    };
                    let start = Instant::now();
                    let built = builder
                        .build(&candidate.task, candidate.config.as_ref())
                        .await?;
                    done.push((position, built, start.elapsed()));
                }
            });
        }
        let mut all = Vec::with_capacity(candidates.len());
        while let Some(done) = working.join_next().await {
            all.extend(joined(done)?);
        }
        all.sort_by_key(|(position, ..)| *position);
        Ok(all
            .into_iter()
            .map(|(_, built, took)| (built, took))
            .collect())
    }

    /// Ends every process.
    pub async fn shut_down(self) {
        let mut ending = JoinSet::new();
        ending.spawn(self.device.shut_down());
        for builder in self.builders {
            if let Some(builder) = Arc::into_inner(builder) {
                ending.spawn(builder.into_inner().shut_down());
            }
        }
        ending.join_all().await;
    }
}

/// The result of a task that was neither cancelled nor allowed to panic quietly.
fn joined<T>(result: Result<T, tokio::task::JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
