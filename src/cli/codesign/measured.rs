//! The real path: TVM lowers, the timing model times. What is reported comes from here.

use std::path::Path;
use std::sync::Arc;

use tvm_rt::DeviceType;

use crate::cli::context::{Context, interruptible};
use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::fleet::Fleet;
use crate::cli::printer::Printer;
use crate::cli::progress::ProgressLines;
use crate::cli::tune::{interrupted_twice, open_output};
use crate::codesign::{self, BestSchedule, Ledger, Network};
use crate::measure::{Candidate, Pipeline, PipelineOptions, TrialId};
use crate::record::{ErrorNo, MeasureResult, Record};
use crate::seed::Seed;
use crate::task::{ConfigEntity, SpaceError, Task};
use crate::transfer::Knowledge;
use crate::tuning::{
    CancelToken, DEFAULT_LOOKAHEAD, Event, Quotas, Spread, StopReason, TaskRun, TuneObserver,
    TuneOptions, read_journal, tune,
};
use crate::vta::config::Geometry;
use crate::vta::packed_conv::PackedTiles;

use super::args::CodesignArgs;

/// A layer on a geometry, as measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct MeasuredLayer {
    /// Cycles of TVM's fallback schedule; none where it failed.
    pub untuned: Option<u64>,
    /// The best schedule; none where all failed.
    pub best: Option<BestSchedule>,
}

/// A network on a geometry, as measured.
#[derive(Clone, Debug)]
pub(super) struct MeasuredNetwork {
    pub geometry: Geometry,
    pub layers: Vec<MeasuredLayer>,
    /// Trials spent, those of an earlier run included.
    pub trials: usize,
}

impl MeasuredNetwork {
    /// Cycles of all layers of a network, packing anew included; none while a layer has no schedule. `network` has this
    /// one's layers in the same order, as often as it uses them.
    pub fn cycles(&self, network: &Network) -> Option<u64> {
        self.sum(network, |layer| Some(layer.best?.cycles))
    }

    /// The same with TVM's fallback schedules.
    pub fn untuned_cycles(&self, network: &Network) -> Option<u64> {
        self.sum(network, |layer| layer.untuned)
    }

    fn sum(
        &self,
        network: &Network,
        cycles: impl Fn(&MeasuredLayer) -> Option<u64>,
    ) -> Option<u64> {
        let layers = network.layers().iter().zip(&self.layers);
        layers
            .map(|(layer, measured)| {
                let repack = layer.convolution.repack_cycles(&self.geometry);
                Some(u64::from(layer.uses) * (cycles(measured)? + repack))
            })
            .sum()
    }
}

/// Builders and devices for any geometry.
pub(super) struct RealPath<'a> {
    pub context: &'a Context,
    pub fleet: &'a Fleet,
    pub printer: Printer,
}

impl RealPath<'_> {
    fn options(&self, tasks: &[Arc<Task>]) -> PipelineOptions {
        let target = tasks.first().map_or("", |task| &task.workload.target);
        // The simulated accelerator is TVM's device `ext_dev`.
        let device = DeviceType::EXT_DEV;
        self.fleet.pipeline(self.context, target, device)
    }

    /// Tunes every layer on a geometry, beginning with the draft model's best, and with what it said as a prior; writes an
    /// AutoTVM log of it.
    pub async fn tune(
        &self,
        args: &CodesignArgs,
        network: &Network,
        geometry: &Geometry,
        drafted: &Ledger,
        log: &Path,
    ) -> Result<MeasuredNetwork, CliError> {
        let tasks = tasks(network, geometry)?;
        let (mut output, earlier) = open_output(log, self.printer)?;
        let knowledge = Knowledge::default();
        knowledge.remember(&prior(network, geometry, drafted, &tasks));
        let quotas = Quotas::per_task(args.search.trials_per_task, tasks.len());
        let options = TuneOptions {
            strategy: args.search.strategy,
            seed: Seed(args.search.seed.unwrap_or(0)),
            spread: Spread::Even(quotas),
            early_stopping: None,
            time: None,
            lookahead: DEFAULT_LOOKAHEAD,
            knowledge,
            first: drafted_best(network, geometry, drafted, &tasks),
        };
        let pipeline_options = self.options(&tasks);
        let target = tasks
            .first()
            .map_or_else(String::new, |task| task.workload.target.clone());
        let sharing = pipeline_options.sharing.to_string();
        output.event(&options.event(args.models.join(" "), target, sharing))?;
        let mut pipeline = interruptible(Pipeline::start(&pipeline_options)).await?;
        let cancel = CancelToken::default();
        let mut observer = ProgressLines::new(self.printer, tasks.len());
        let heartbeat = observer.heartbeat();
        let tuning = tune(
            &tasks,
            &options,
            &earlier,
            &mut pipeline,
            &mut output,
            &mut observer,
            &cancel,
        );
        let summary = tokio::select! {
            summary = tuning => Some(summary),
            () = interrupted_twice(&cancel, self.printer) => None,
            () = heartbeat => None,
        };
        observer.ended();
        pipeline.shut_down().await;
        let interrupted = || {
            CliError::new(
                ExitCode::Interrupted,
                "interrupted",
                "the same command goes on from here",
            )
        };
        let summary = summary.ok_or_else(interrupted)??;
        let stopped = |run: &TaskRun| run.stop() == Some(StopReason::Interrupted);
        if summary.tasks.iter().any(stopped) {
            return Err(interrupted());
        }
        // A run that goes on does not measure the fallback schedules again: the journal knows them.
        let events = read_journal(log).unwrap_or_default();
        let earlier = |position: usize| {
            events.iter().find_map(|event| match event {
                Event::Untuned { task, cost, .. } if *task == position => *cost,
                _ => None,
            })
        };
        let runs = summary.tasks.iter().enumerate();
        let layers = runs.map(|(position, run)| {
            let untuned = run.untuned_cost().or_else(|| earlier(position));
            MeasuredLayer {
                untuned: untuned.map(|s| cycles(s, geometry)),
                best: best_of(run, geometry),
            }
        });
        Ok(MeasuredNetwork {
            geometry: *geometry,
            layers: layers.collect(),
            trials: summary.tasks.iter().map(TaskRun::trials).sum(),
        })
    }

    /// Measures one schedule of each layer on a geometry; none for one that fails.
    pub async fn measure(
        &self,
        network: &Network,
        geometry: &Geometry,
        schedules: &[PackedTiles],
    ) -> Result<Vec<Option<u64>>, CliError> {
        let tasks = tasks(network, geometry)?;
        let mut pipeline = interruptible(Pipeline::start(&self.options(&tasks))).await?;
        for (position, (task, tiles)) in tasks.iter().zip(schedules).enumerate() {
            let config = codesign::config(task, tiles).map_err(internal)?;
            let candidate = Candidate {
                task: Arc::clone(task),
                config: Some(config),
            };
            pipeline.submit(TrialId(position as u64), candidate);
        }
        let mut measured = vec![None; tasks.len()];
        while let Some((TrialId(position), measurement)) = interruptible(pipeline.next()).await? {
            let seconds = measurement.to_result().mean_cost();
            measured[position as usize] = seconds.map(|s| cycles(s, geometry));
        }
        pipeline.shut_down().await;
        Ok(measured)
    }
}

/// Simulated seconds as whole cycles of the geometry's clock.
fn cycles(seconds: f64, geometry: &Geometry) -> u64 {
    (seconds * f64::from(geometry.clock_mhz()) * 1e6).round() as u64
}

fn best_of(run: &TaskRun, geometry: &Geometry) -> Option<BestSchedule> {
    Some(BestSchedule {
        tiles: codesign::tiles_of(run.best_config()?)?,
        cycles: cycles(run.best_cost()?, geometry),
    })
}

fn tasks(network: &Network, geometry: &Geometry) -> Result<Vec<Arc<Task>>, CliError> {
    let tasks = network.layers().iter().enumerate();
    tasks
        .map(|(position, layer)| {
            let mut task = codesign::task(layer, geometry).map_err(internal)?;
            task.group = position;
            Ok(Arc::new(task))
        })
        .collect()
}

fn internal(error: SpaceError) -> CliError {
    CliError::new(
        ExitCode::Failure,
        format!("a derived task makes no sense: {error}"),
        "",
    )
}

/// The configuration of each layer that the draft model likes best, with the position of its task.
fn drafted_best(
    network: &Network,
    geometry: &Geometry,
    drafted: &Ledger,
    tasks: &[Arc<Task>],
) -> Vec<(usize, ConfigEntity)> {
    let tasks = tasks.iter().enumerate();
    let best = tasks.filter_map(|(position, task)| {
        let best = drafted.best(network, position, geometry)?;
        Some((position, codesign::config(task, &best.tiles).ok()?))
    });
    best.collect()
}

/// What the draft model said of a geometry, as records: they teach the first trials, and never get into a log.
fn prior(
    network: &Network,
    geometry: &Geometry,
    drafted: &Ledger,
    tasks: &[Arc<Task>],
) -> Vec<Record> {
    let core = codesign::Core::of(geometry);
    let hertz = f64::from(geometry.clock_mhz()) * 1e6;
    let mut records = Vec::new();
    for (position, (layer, task)) in network.layers().iter().zip(tasks).enumerate() {
        let conv = layer.convolution.packed(geometry);
        for known in drafted.of(&core, position) {
            let (Some(cycles), None) = (known.cycles, conv.refusal(geometry, &known.tiles)) else {
                continue;
            };
            if let Ok(config) = codesign::config(task, &known.tiles) {
                records.push(Record {
                    workload: task.workload.clone(),
                    config,
                    result: MeasureResult {
                        costs: vec![cycles as f64 / hertz],
                        error_no: ErrorNo::NoError,
                        all_cost: 0.0,
                        timestamp: 0.0,
                    },
                });
            }
        }
    }
    records
}
