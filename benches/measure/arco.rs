//! A run of ours: the loop, the strategy and the pipeline of `arco-tvm tune`, with the time of each step.

use std::time::{Duration, Instant};

use arco_tvm::measure::{
    BuildOptions, Candidate, CoreSet, CoreSharing, Endpoint, Measurement, PeerError, Pipeline,
    PipelineOptions, Role, TrialId,
};
use arco_tvm::seed::Seed;
use arco_tvm::strategy::StrategyKind;
use arco_tvm::transfer::Knowledge;
use arco_tvm::tuning::{
    CancelToken, Measurer, Output, Progress, Quotas, Spread, TaskRun, TuneObserver, TuneOptions,
    tune as tuning_loop,
};
use tvm_rt::DeviceType;

use crate::{Job, Place, Seconds};

/// As `arco-tvm tune` has it.
const LOOKAHEAD: usize = 16;

/// As many builders as `arco-tvm tune` starts: one for each core.
pub fn builders() -> usize {
    CoreSet::available().len()
}

/// The pipeline that `arco-tvm tune` would take, with so many builders.
pub fn pipeline(job: &Job, place: &Place<'_>, builders: usize) -> PipelineOptions {
    let local = |role: Role, name: String| Endpoint::Local {
        host: job.host.clone(),
        role,
        log: job.folder.path().join(name),
        cores: None,
    };
    let (device, sharing) = match place {
        Place::Shared => (
            local(Role::Device, "device.out".to_owned()),
            CoreSharing::BuildersPause,
        ),
        Place::Apart(tracker, key) => (
            tracker.device(key, Duration::from_secs(60)),
            CoreSharing::Separate,
        ),
    };
    PipelineOptions {
        builders: (0..builders)
            .map(|b| local(Role::Builder, format!("builder-{b}.out")))
            .collect(),
        build: BuildOptions {
            limit: Duration::from_secs(10),
            cross_compiler: None,
            gpu_limits: None,
        },
        devices: vec![device],
        run: job.run.clone(),
        device_type: DeviceType::CPU,
        sharing,
    }
}

/// Tunes from nothing. Starting the builders and the device counts.
pub async fn tune(job: &Job, place: &Place<'_>, seed: u64) -> Seconds {
    let folder = tempfile::tempdir_in(job.folder.path()).unwrap();
    let builders = builders();
    let (mut output, _) = Output::open(&folder.path().join("arco.log")).unwrap();
    let options = TuneOptions {
        strategy: StrategyKind::default(),
        seed: Seed(seed),
        spread: Spread::Even(Quotas::per_task(job.trials, 1)),
        early_stopping: None,
        time: None,
        lookahead: LOOKAHEAD,
        knowledge: Knowledge::default(),
        first: Vec::new(),
    };
    let start = Instant::now();
    let started = Pipeline::start(&pipeline(job, place, builders)).await;
    let mut timed = Timed {
        pipeline: started.unwrap(),
        waited: Duration::ZERO,
        build: Duration::ZERO,
        run: Duration::ZERO,
    };
    let loop_start = Instant::now();
    let summary = tuning_loop(
        &[std::sync::Arc::clone(&job.task)],
        &options,
        &[],
        &mut timed,
        &mut output,
        &mut Nobody,
        &CancelToken::default(),
    )
    .await
    .unwrap();
    let (wall, looped) = (start.elapsed(), loop_start.elapsed());
    assert_eq!(summary.tasks[0].trials(), job.trials);
    timed.pipeline.shut_down().await;
    Seconds {
        wall: wall.as_secs_f64(),
        search: (looped - timed.waited).as_secs_f64(),
        build: timed.build.as_secs_f64() / builders as f64,
        run: timed.run.as_secs_f64(),
    }
}

/// A pipeline, and what was spent in it.
struct Timed {
    pipeline: Pipeline,
    waited: Duration,
    build: Duration,
    run: Duration,
}

impl Measurer for Timed {
    fn submit(&mut self, id: TrialId, candidate: Candidate) {
        self.pipeline.submit(id, candidate);
    }

    async fn next(&mut self) -> Result<Option<(TrialId, Measurement)>, PeerError> {
        let start = Instant::now();
        let next = self.pipeline.next().await?;
        self.waited += start.elapsed();
        if let Some((_, measurement)) = &next {
            self.build += measurement.build;
            self.run += measurement.run;
        }
        Ok(next)
    }
}

/// Watches nothing.
struct Nobody;

impl TuneObserver for Nobody {
    fn finished(&mut self, _: &Progress<'_>) {}

    fn all_failed(&mut self, _: usize, _: &TaskRun) {}
}
