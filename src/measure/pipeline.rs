//! Builders and devices at work: candidates in, measurements out as they are finished.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::task::JoinSet;
use tvm_rt::DeviceType;

use crate::task::GpuLimits;

use super::build::{BuildOptions, Builder, Built};
use super::candidate::{Candidate, Measurement};
use super::device::{MeasureDevice, RunOptions};
use super::failure::Failure;
use super::peer::{CallError, Endpoint, PeerError};
use super::recall::Recall;
use super::server::Role;
use super::sharing::{CoreSharing, Load, Turns};

/// Libraries that may wait for a device: enough that a turn of measuring is worth stopping the builders.
const MOST_BUILT: usize = 16;

/// What a pipeline is made of.
#[derive(Clone, Debug)]
pub struct PipelineOptions {
    /// Where builders are to be had, one endpoint each.
    pub builders: Vec<Endpoint>,
    /// How candidates are built.
    pub build: BuildOptions,
    /// Where devices are to be had, one endpoint each.
    pub devices: Vec<Endpoint>,
    /// How candidates are timed.
    pub run: RunOptions,
    /// What code runs on.
    pub device_type: DeviceType,
    /// How builders and devices share cores.
    pub sharing: CoreSharing,
}

/// The number that a candidate is known by until its measurement comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialId(pub u64);

/// A candidate on its way.
#[derive(Debug)]
struct Job {
    id: TrialId,
    candidate: Candidate,
    build: Duration,
}

/// The end of one step of one candidate.
enum Step {
    Built {
        job: Job,
        builder: Builder,
        result: Result<Result<Built, Failure>, PeerError>,
    },
    Ran {
        job: Job,
        device: MeasureDevice,
        built: Arc<Built>,
        result: Result<Result<Vec<f64>, Failure>, PeerError>,
        took: Duration,
    },
    /// One that was lost is there again, or is not.
    Back(Result<Opened, (Role, PeerError)>),
}

/// Builder processes and devices, each at one candidate at a time.
pub struct Pipeline {
    builders: Vec<Builder>,
    devices: Vec<MeasureDevice>,
    waiting: VecDeque<Job>,
    /// What was known without work.
    recalled: VecDeque<(TrialId, Measurement)>,
    /// What was measured, where the devices compute their time.
    recall: Option<Recall>,
    built: VecDeque<(Job, Arc<Built>)>,
    steps: JoinSet<Step>,
    turns: Turns,
    load: Load,
    /// Why the last builder or device was given up.
    lost: Option<PeerError>,
    builders_left: usize,
    devices_left: usize,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("builders", &self.builders_left)
            .field("devices", &self.devices_left)
            .field("load", &self.load)
            .finish_non_exhaustive()
    }
}

impl Pipeline {
    /// Starts every process at once and waits until all are ready.
    ///
    /// # Errors
    /// When one does not start or there is no device.
    pub async fn start(options: &PipelineOptions) -> Result<Self, PeerError> {
        let mut opening: JoinSet<Result<Opened, PeerError>> = JoinSet::new();
        for endpoint in options.devices.iter().cloned() {
            let mut device = MeasureDevice::new(endpoint, options.device_type, options.run.clone());
            opening.spawn(async move {
                device.open().await?;
                Ok(Opened::Device(Box::new(device)))
            });
        }
        for endpoint in options.builders.iter().cloned() {
            let mut builder = Builder::new(endpoint, options.build.clone());
            opening.spawn(async move {
                builder.open().await?;
                Ok(Opened::Builder(Box::new(builder)))
            });
        }
        let (mut builders, mut devices) = (Vec::new(), Vec::new());
        while let Some(opened) = opening.join_next().await {
            match joined(opened)? {
                Opened::Builder(builder) => builders.push(*builder),
                Opened::Device(device) => devices.push(*device),
            }
        }
        Ok(Self {
            builders_left: builders.len(),
            devices_left: devices.len(),
            builders,
            devices,
            waiting: VecDeque::new(),
            recalled: VecDeque::new(),
            recall: options.run.computed.then(Recall::default),
            built: VecDeque::new(),
            steps: JoinSet::new(),
            turns: Turns::new(options.sharing, MOST_BUILT.max(2 * options.devices.len())),
            load: Load::default(),
            lost: None,
        })
    }

    /// Asks the devices what they allow, if they are GPUs, and has the builders refuse what needs more. Of several
    /// devices the least counts: a candidate may come to any.
    ///
    /// # Errors
    /// When a device does not answer.
    pub async fn gpu_limits(&mut self) -> Result<Option<GpuLimits>, CallError> {
        let mut least: Option<GpuLimits> = None;
        for device in &mut self.devices {
            let Some(attributes) = device.gpu_attributes().await? else {
                return Ok(None);
            };
            let own = attributes.limits;
            least = Some(least.map_or(own, |least| least.and(&own)));
        }
        if let Some(limits) = least {
            self.builders
                .iter_mut()
                .for_each(|builder| builder.check(limits));
        }
        Ok(least)
    }

    /// Takes a candidate in. Work goes on in [`Self::next`].
    pub fn submit(&mut self, id: TrialId, candidate: Candidate) {
        self.waiting.push_back(Job {
            id,
            candidate,
            build: Duration::ZERO,
        });
    }

    /// The next measurement that is finished, whichever candidate's it is; `None` when there is no candidate left.
    ///
    /// A builder or device that is lost for good is given up, and its candidate goes to another.
    ///
    /// # Errors
    /// When the last builder or the last device is lost; that is the pipeline's last word. A candidate that fails is a
    /// measurement.
    pub async fn next(&mut self) -> Result<Option<(TrialId, Measurement)>, PeerError> {
        loop {
            self.start_steps();
            if let Some(known) = self.recalled.pop_front() {
                return Ok(Some(known));
            }
            let at_work = self.load.building + self.load.running;
            if at_work == 0 && self.waiting.is_empty() && self.built.is_empty() {
                // Whoever is still lost is not waited for.
                return Ok(None);
            }
            let Some(step) = self.steps.join_next().await else {
                // Nobody is left to take them.
                return self.lost.take().map_or(Ok(None), Err);
            };
            let finished = match joined(step) {
                Step::Built {
                    job,
                    builder,
                    result,
                } => self.after_build(job, builder, result),
                Step::Ran {
                    job,
                    device,
                    built,
                    result,
                    took,
                } => self.after_run(job, device, &built, result, took),
                Step::Back(result) => {
                    self.after_loss(result);
                    None
                }
            };
            if let Some(finished) = finished {
                return Ok(Some(finished));
            }
        }
    }

    fn start_steps(&mut self) {
        loop {
            self.load.waiting = self.waiting.len();
            self.load.built = self.built.len();
            self.turns.update(self.load);
            if self.turns.may_run()
                && let Some(mut device) = self.devices.pop()
            {
                if let Some((job, built)) = self.built.pop_front() {
                    self.load.running += 1;
                    self.steps.spawn(async move {
                        let start = Instant::now();
                        let result = device.run(&built).await;
                        Step::Ran {
                            job,
                            device,
                            built,
                            result,
                            took: start.elapsed(),
                        }
                    });
                    continue;
                }
                self.devices.push(device);
            }
            if self.turns.may_build(self.load)
                && let Some(mut builder) = self.builders.pop()
            {
                if let Some(mut job) = self.next_to_build() {
                    self.load.building += 1;
                    self.steps.spawn(async move {
                        let start = Instant::now();
                        let candidate = &job.candidate;
                        let result = builder
                            .build(&candidate.task, candidate.config.as_ref())
                            .await;
                        job.build = start.elapsed();
                        Step::Built {
                            job,
                            builder,
                            result,
                        }
                    });
                    continue;
                }
                self.builders.push(builder);
            }
            return;
        }
    }

    /// The next job that has to be built: those that were measured before are finished.
    fn next_to_build(&mut self) -> Option<Job> {
        loop {
            let job = self.waiting.pop_front()?;
            let known = self.recall.as_ref();
            match known.and_then(|recall| recall.of_candidate(&job.candidate)) {
                None => return Some(job),
                Some(costs) => {
                    let known = finished(job, None, Ok(costs), Duration::ZERO);
                    self.recalled.push_back(known);
                }
            }
        }
    }

    fn after_build(
        &mut self,
        job: Job,
        builder: Builder,
        result: Result<Result<Built, Failure>, PeerError>,
    ) -> Option<(TrialId, Measurement)> {
        self.load.building -= 1;
        match result {
            Ok(Ok(built)) => {
                self.builders.push(builder);
                let known = self.recall.as_ref();
                if let Some(costs) = known.and_then(|recall| recall.of_program(&built)) {
                    return Some(finished(job, Some(&built), Ok(costs), Duration::ZERO));
                }
                self.built.push_back((job, Arc::new(built)));
                None
            }
            Ok(Err(failure)) => {
                self.take_back(Opened::Builder(Box::new(builder)));
                Some(finished(job, None, Err(failure), Duration::ZERO))
            }
            Err(error) => {
                self.builders_left -= 1;
                self.give_up(job, error);
                None
            }
        }
    }

    fn after_run(
        &mut self,
        job: Job,
        device: MeasureDevice,
        built: &Built,
        result: Result<Result<Vec<f64>, Failure>, PeerError>,
        took: Duration,
    ) -> Option<(TrialId, Measurement)> {
        self.load.running -= 1;
        match result {
            Ok(outcome) => {
                self.take_back(Opened::Device(Box::new(device)));
                if let (Some(recall), Ok(costs)) = (&mut self.recall, &outcome) {
                    recall.keep(&job.candidate, built, costs);
                }
                Some(finished(job, Some(built), outcome, took))
            }
            Err(error) => {
                self.devices_left -= 1;
                self.give_up(job, error);
                None
            }
        }
    }

    /// A builder or device that is done with a candidate. One that was lost with it is looked for before it gets another:
    /// no candidate waits for it while others are there.
    fn take_back(&mut self, mut peer: Opened) {
        if !peer.is_lost() {
            return self.add(peer);
        }
        self.steps.spawn(async move {
            let role = peer.role();
            Step::Back(match peer.open().await {
                Ok(()) => Ok(peer),
                Err(error) => Err((role, error)),
            })
        });
    }

    fn after_loss(&mut self, result: Result<Opened, (Role, PeerError)>) {
        match result {
            Ok(peer) => self.add(peer),
            Err((role, error)) => {
                match role {
                    Role::Device => self.devices_left -= 1,
                    _ => self.builders_left -= 1,
                }
                self.lost = Some(error);
            }
        }
    }

    fn add(&mut self, peer: Opened) {
        match peer {
            Opened::Builder(builder) => self.builders.push(*builder),
            Opened::Device(device) => self.devices.push(*device),
        }
    }

    /// A builder or device is gone; its candidate waits for another, and is not charged for it.
    fn give_up(&mut self, job: Job, error: PeerError) {
        self.lost = Some(error);
        self.waiting.push_front(job);
    }

    /// Whether a builder or a device was given up, and why the last one was.
    pub const fn lost(&self) -> Option<&PeerError> {
        self.lost.as_ref()
    }

    /// Ends every process.
    pub async fn shut_down(mut self) {
        // What is in the middle of a step goes with its own handle: dropping it ends its process group.
        self.steps.shutdown().await;
        let mut ending = JoinSet::new();
        for device in self.devices {
            ending.spawn(device.shut_down());
        }
        for builder in self.builders {
            ending.spawn(builder.shut_down());
        }
        ending.join_all().await;
    }
}

enum Opened {
    Builder(Box<Builder>),
    Device(Box<MeasureDevice>),
}

impl Opened {
    const fn role(&self) -> Role {
        match self {
            Self::Builder(_) => Role::Builder,
            Self::Device(_) => Role::Device,
        }
    }

    fn is_lost(&self) -> bool {
        match self {
            Self::Builder(builder) => builder.is_lost(),
            Self::Device(device) => device.is_lost(),
        }
    }

    async fn open(&mut self) -> Result<(), PeerError> {
        match self {
            Self::Builder(builder) => builder.open().await,
            Self::Device(device) => device.open().await,
        }
    }
}

fn finished(
    job: Job,
    built: Option<&Built>,
    outcome: Result<Vec<f64>, Failure>,
    run: Duration,
) -> (TrialId, Measurement) {
    let (fallback, stages) = built.map_or_else(Default::default, |built| {
        (built.fallback.clone(), built.stages.clone())
    });
    let measurement = Measurement {
        outcome,
        fallback,
        build: job.build,
        stages,
        run,
        at: SystemTime::now(),
    };
    (job.id, measurement)
}

/// The result of a task that was neither cancelled nor allowed to panic quietly.
fn joined<T>(result: Result<T, tokio::task::JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
