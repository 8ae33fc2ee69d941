//! `arco-tvm tune`: extract the tasks, tune them, write the log, say what was found.

mod best_log;
mod gpu;
mod other_hardware;
mod report;
mod resume;
mod warm_start;

use std::time::{Duration, Instant};

use tvm_rt::DeviceType;

use crate::frontend::ExtractedTasks;
use crate::measure::Pipeline;
use crate::record::Record;
use crate::seed::Seed;
use crate::tuning::{
    CancelToken, DEFAULT_LOOKAHEAD, Quotas, Spread, TuneObserver, TuneOptions, tune,
};

use super::args::TuneArgs;
use super::context::{Context, greet_tracker, interruptible, model_spec};
use super::error::CliError;
use super::exit_code::ExitCode;
use super::fleet::{self, Fleet};
use super::format;
use super::gpu::with_arch;
use super::printer::Printer;
use super::progress::ProgressLines;
use super::progress_json::JsonProgress;
use super::record::declare;
use super::settings::SettingsFile;
use other_hardware::other_hardware;
use report::report;
pub(super) use resume::open_output;

/// Trials for each task when nothing is said.
const DEFAULT_TRIALS_PER_TASK: usize = 64;

/// Runs the command.
///
/// # Errors
/// See the exit codes.
pub async fn run(
    args: &TuneArgs,
    settings: &SettingsFile,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let target = settings.target(args.model.target.as_deref())?;
    let strategy = settings.strategy(args.strategy)?;
    // What is wrong with these is better known before a minute is spent on the model.
    let fleet = Fleet::new(&args.measure, settings, &target)?;
    let time = args.time.or(settings.time).map(|minutes| 60.0 * minutes);
    let time = time
        .map(|s| fleet::seconds("--time", Some(s), Duration::ZERO))
        .transpose()?;
    let taught = warm_start::read(&args.warm_start, printer)?;
    greet_tracker(fleet.tracker()).await?;
    let context = Context::open(&args.host, settings)?
        .for_target(&target)
        .with_runtime(&target, fleet.tracked().is_none(), printer)?;
    let target = interruptible(with_arch(target, &fleet, &context, printer)).await?;
    let (mut output, earlier) = open_output(&args.output, printer)?;
    let mut frontend = interruptible(context.frontend()).await?;
    printer.note(format!(
        "importing {} and extracting its tasks",
        args.model.model
    ));
    let model = model_spec(&args.model);
    let mut extracted = interruptible(frontend.tasks(&model, &target)).await?;
    let recorded = match &args.recording {
        Some(recording) => {
            let configurations = recording.narrow(&mut extracted)?;
            declare(&extracted.tasks[0], &args.output, &mut output)?;
            Some(configurations)
        }
        None => None,
    };
    let pipeline_options = fleet.pipeline(&context, &extracted.target, device_type(&extracted)?);
    introduce(&extracted, &earlier, printer);
    let tasks = extracted.tasks.len();
    let spread = match args.trials {
        Some(total) => Spread::WhereItFalls { total },
        None => {
            let each = recorded
                .or(args.trials_per_task)
                .or(settings.trials_per_task);
            Spread::Even(Quotas::per_task(
                each.unwrap_or(DEFAULT_TRIALS_PER_TASK),
                tasks,
            ))
        }
    };
    let options = TuneOptions {
        strategy,
        seed: Seed(args.seed.or(settings.seed).unwrap_or(0)),
        spread,
        early_stopping: args.early_stopping.or(settings.early_stopping),
        time,
        lookahead: args.lookahead.unwrap_or(DEFAULT_LOOKAHEAD),
        knowledge: warm_start::knowledge(&taught, &extracted.target, printer),
        first: Vec::new(),
    };
    printer.note(format!(
        "{strategy}, seed {}, {} trials; {}",
        options.seed.0,
        options.spread.total(),
        fleet.describe()
    ));
    output.event(&options.event(
        args.model.model.clone(),
        extracted.target.clone(),
        pipeline_options.sharing.to_string(),
    ))?;
    let mut pipeline = interruptible(Pipeline::start(&pipeline_options)).await?;
    gpu::mask(&mut extracted, &mut pipeline, printer).await;
    let cancel = CancelToken::default();
    let lines = ProgressLines::new(printer, extracted.tasks.len());
    let heartbeat = lines.heartbeat();
    let mut observer: Box<dyn TuneObserver> = if args.json_progress {
        Box::new(JsonProgress::new(printer))
    } else {
        Box::new(lines)
    };
    let start = Instant::now();
    let tuning = tune(
        &extracted.tasks,
        &options,
        &earlier,
        &mut pipeline,
        &mut output,
        observer.as_mut(),
        &cancel,
    );
    let summary = tokio::select! {
        summary = tuning => Some(summary),
        () = interrupted_twice(&cancel, printer) => None,
        () = heartbeat, if !args.json_progress => None,
    };
    observer.ended();
    if let Some(lost) = pipeline.lost() {
        printer.warning(format!(
            "a builder or device was given up, and others did its work: {lost}"
        ));
    }
    pipeline.shut_down().await;
    frontend.shut_down().await;
    match summary {
        Some(summary) => {
            let summary = summary?;
            // One task's space is recorded to be replayed, not to be compiled with.
            let best = match &args.recording {
                Some(_) => None,
                None => best_log::write(&args.output, &extracted, printer)?,
            };
            report(
                &summary,
                args,
                &target,
                best.as_deref(),
                start.elapsed(),
                printer,
            )
        }
        None => Ok(ExitCode::Interrupted),
    }
}

/// What the target's code runs on.
pub(super) fn device_type(extracted: &ExtractedTasks) -> Result<DeviceType, CliError> {
    if let Some(why) = &extracted.why_not {
        return Err(CliError::new(
            ExitCode::Target,
            why.clone(),
            "use a TVM 0.19 that was built for this target, with --python",
        ));
    }
    DeviceType::of_target(&extracted.target_kind).ok_or_else(|| {
        CliError::new(
            ExitCode::Target,
            format!(
                "no device runs code for the target kind `{}`",
                extracted.target_kind
            ),
            "tune for llvm, cuda, opencl, vulkan, metal, rocm or vta",
        )
    })
}

fn introduce(extracted: &ExtractedTasks, earlier: &[Record], printer: Printer) {
    for warning in &extracted.warnings {
        printer.warning(warning);
    }
    let configurations: u64 = extracted
        .tasks
        .iter()
        .fold(0, |sum, task| sum.saturating_add(task.space.range_length()));
    printer.note(format!(
        "{}: {} tasks with {} configurations for {}",
        extracted.model,
        extracted.tasks.len(),
        format::count(configurations),
        extracted.target
    ));
    let known = earlier.iter().map(|record| record.workload.target.as_str());
    for other in other_hardware(&extracted.target, known) {
        printer.warning(format!(
            "the log has records for `{other}`, and this run is for `{}`: TVM does not tell them apart and applies \
             whichever is faster; give each target a log of its own with -o",
            extracted.target
        ));
    }
    let ours = |record: &&Record| {
        extracted
            .tasks
            .iter()
            .any(|task| task.workload == record.workload)
    };
    let known = earlier.iter().filter(ours).count();
    if known > 0 {
        printer.note(format!(
            "the log already has {known} trials of these tasks; going on from there"
        ));
    }
}

/// Returns at the second Ctrl-C; the first asks the run to end after its batch.
pub(super) async fn interrupted_twice(cancel: &CancelToken, printer: Printer) {
    let interrupted = async || {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the default one ends the process.
            std::future::pending::<()>().await;
        }
    };
    interrupted().await;
    cancel.cancel();
    printer.warning("ending after the batch in flight; Ctrl-C again ends at once");
    interrupted().await;
}
