//! `arco-tvm tune`: extract the tasks, tune them, write the log, say what was found.

use std::path::Path;
use std::time::{Duration, Instant};

use tvm_rt::DeviceType;

use crate::frontend::ExtractedTasks;
use crate::measure::Pipeline;
use crate::record::{Mended, Record, read_log};
use crate::seed::Seed;
use crate::tuning::{
    CancelToken, Event, Journal, Output, Quotas, SCHEMA, Spread, StopReason, TaskRun, TuneOptions,
    TuneSummary, missing_from_log, now, read_journal, tune,
};

use super::args::TuneArgs;
use super::context::{Context, greet_tracker, model_spec};
use super::error::CliError;
use super::exit_code::ExitCode;
use super::fleet::{self, Fleet};
use super::format;
use super::printer::Printer;
use super::progress::ProgressLine;
use super::settings::SettingsFile;

/// Trials for each task when nothing is said.
const DEFAULT_TRIALS_PER_TASK: usize = 64;
/// Trials in flight when a strategy is asked for more: one batch is measured while the next is chosen and built.
const DEFAULT_LOOKAHEAD: usize = 16;

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
    let fleet = Fleet::new(&args.measure, settings)?;
    let time = args.time.or(settings.time).map(|minutes| 60.0 * minutes);
    let time = time
        .map(|s| fleet::seconds("--time", Some(s), Duration::ZERO))
        .transpose()?;
    greet_tracker(fleet.tracker()).await?;
    let context = Context::open(&args.host, settings)?;
    let (mut output, earlier) = open_output(&args.output, printer)?;
    let mut frontend = context.frontend().await?;
    printer.note(format!(
        "importing {} and extracting its tasks",
        args.model.model
    ));
    let extracted = frontend.tasks(&model_spec(&args.model), &target).await?;
    let pipeline_options = fleet.pipeline(&context, device_type(&extracted)?);
    introduce(&extracted, &earlier, printer);
    let tasks = extracted.tasks.len();
    let spread = match args.trials {
        Some(total) => Spread::WhereItFalls { total },
        None => {
            let each = args.trials_per_task.or(settings.trials_per_task);
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
    };
    printer.note(format!(
        "{strategy}, seed {}, {} trials; {}",
        options.seed.0,
        options.spread.total(),
        fleet.describe()
    ));
    output.event(&Event::Run {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: args.model.model.clone(),
        target: extracted.target.clone(),
        strategy: strategy.to_string(),
        seed: options.seed.0,
        trials: options.spread.total(),
        sharing: pipeline_options.sharing.to_string(),
        at: now(),
    })?;
    let mut pipeline = Pipeline::start(&pipeline_options).await?;
    let cancel = CancelToken::default();
    let mut progress = ProgressLine::new(printer, extracted.tasks.len());
    let start = Instant::now();
    let tuning = tune(
        &extracted.tasks,
        &options,
        &earlier,
        &mut pipeline,
        &mut output,
        &mut progress,
        &cancel,
    );
    let summary = tokio::select! {
        summary = tuning => Some(summary),
        () = interrupted_twice(&cancel, printer) => None,
    };
    progress.finish();
    pipeline.shut_down().await;
    frontend.shut_down().await;
    match summary {
        Some(summary) => report(&summary?, args, &target, start.elapsed(), printer),
        None => Ok(ExitCode::Interrupted),
    }
}

/// Opens log and journal, mends what a killed run left, and returns the records of earlier runs.
fn open_output(path: &Path, printer: Printer) -> Result<(Output, Vec<Record>), CliError> {
    let (mut output, mended) = Output::open(path)?;
    match mended {
        Some(Mended::MovedFragment { to }) => printer.warning(format!(
            "{} ended in half a line (a writer was killed); it now stands in {}",
            path.display(),
            to.display()
        )),
        Some(Mended::AddedLineBreak) => {
            printer.warning(format!(
                "{} lacked the end of its last line",
                path.display()
            ));
        }
        None => {}
    }
    let unreadable = |error: std::io::Error| {
        CliError::new(
            ExitCode::Log,
            format!("cannot read the log {}: {error}", path.display()),
            "name another log with -o",
        )
    };
    let log = read_log(path).map_err(unreadable)?;
    for skipped in &log.skipped {
        printer.warning(skipped.to_string());
    }
    let mut records: Vec<Record> = log.records.into_iter().map(|(_, record)| record).collect();
    let events = read_journal(path).map_err(unreadable)?;
    let recovered = missing_from_log(&events, &records);
    for record in &recovered {
        output.record(record)?;
    }
    if !recovered.is_empty() {
        output.sync()?;
        printer.note(format!(
            "{} finished trials of a run that was killed are recovered from {}",
            recovered.len(),
            Journal::path_of(path).display()
        ));
    }
    records.extend(recovered);
    Ok((output, records))
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
            "tune for llvm, cuda, opencl, vulkan, metal or rocm",
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
async fn interrupted_twice(cancel: &CancelToken, printer: Printer) {
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

fn report(
    summary: &TuneSummary,
    args: &TuneArgs,
    target: &str,
    took: Duration,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let rows = summary.tasks.iter().map(report_row).collect();
    printer.result(format::table(
        &[
            "task", "uses", "trials", "failed", "untuned", "best", "speed",
        ],
        1,
        rows,
    ));
    let interrupted = summary
        .tasks
        .iter()
        .any(|run| run.stop() == Some(StopReason::Interrupted));
    let new: usize = summary
        .tasks
        .iter()
        .map(|run| run.trials() - run.resumed())
        .sum();
    printer.note(format!(
        "{new} trials in {}; log: {}",
        format::duration(took),
        args.output.display()
    ));
    let found = summary.tasks.iter().any(|run| run.best_cost().is_some());
    if interrupted {
        printer.note("interrupted: the same command goes on from here");
        return Ok(ExitCode::Interrupted);
    }
    if !found && !summary.tasks.is_empty() {
        let reasons: Vec<String> = summary
            .tasks
            .iter()
            .flat_map(|run| run.failures().most_frequent(1))
            .map(|(reason, _)| reason.to_owned())
            .take(1)
            .collect();
        return Err(CliError::new(
            ExitCode::NothingFound,
            format!(
                "every candidate of every task failed (first: {})",
                reasons.concat()
            ),
            "`arco-tvm doctor` looks at builders and devices",
        ));
    }
    printer.note(format!("next: {}", verify_command(args, target)));
    Ok(ExitCode::Success)
}

/// The command that compares the tuned model with the untuned one, as a shell takes it.
fn verify_command(args: &TuneArgs, target: &str) -> String {
    let path = |path: &Path| path.display().to_string();
    let mut words = ["arco-tvm", "verify", &args.model.model, "--target", target]
        .map(str::to_owned)
        .to_vec();
    words.extend(["--log".to_owned(), path(&args.output)]);
    let options = [
        ("--params", args.model.params.as_deref().map(path)),
        ("--batch", args.model.batch.map(|batch| batch.to_string())),
        (
            "--tracker",
            args.measure.tracker.as_ref().map(ToString::to_string),
        ),
        ("--key", args.measure.key.clone()),
        ("--python", args.host.python.as_deref().map(path)),
    ];
    for (option, value) in options {
        words.extend(
            value
                .into_iter()
                .flat_map(|value| [option.to_owned(), value]),
        );
    }
    let words: Vec<_> = words.iter().map(|word| format::shell_word(word)).collect();
    words.join(" ")
}

fn report_row(run: &TaskRun) -> Vec<String> {
    vec![
        run.task().workload.label(),
        run.task().weight.to_string(),
        run.trials().to_string(),
        run.failures().total().to_string(),
        run.untuned_cost().map_or("-".to_owned(), format::seconds),
        run.best_cost().map_or("-".to_owned(), format::seconds),
        run.best_flops().map_or("-".to_owned(), format::flops),
    ]
}
