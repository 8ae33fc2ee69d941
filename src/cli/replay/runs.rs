//! Runs every strategy with every seed on every space, and keeps them in the file of --json.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::measure::recorded::RecordedSpace;
use crate::replay::{
    Before, History, HistoryLine, Job, ReplayError, RunKey, read_histories, run_all,
};

use super::super::error::CliError;
use super::super::exit_code::ExitCode;
use super::super::printer::Printer;
use super::args::ReplayArgs;

/// For each space, for each strategy, for each seed, its run.
pub(super) fn run(
    args: &ReplayArgs,
    spaces: &[RecordedSpace],
    printer: Printer,
) -> Result<Vec<Vec<Vec<History>>>, CliError> {
    let jobs = jobs(args, spaces);
    let mut histories: Vec<Option<History>> = vec![None; jobs.len()];
    if let (true, Some(path)) = (args.resume, &args.json) {
        let earlier =
            read_histories(path, !args.no_masks).map_err(|error| json_error(path, &error))?;
        take_earlier(&jobs, &earlier, &mut histories, printer);
    }
    let missing: Vec<usize> = (0..jobs.len())
        .filter(|&j| histories[j].is_none())
        .collect();
    let open: Vec<Job<'_>> = missing.iter().map(|&j| jobs[j]).collect();
    let mut file = match &args.json {
        Some(path) => Some(JsonFile::open(path, args.resume)?),
        None => None,
    };
    let threads = args
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let progress = progress_bar(open.len(), printer);
    run_all(&open, threads, |position, history| {
        let job = &open[position];
        progress.set_message(format!("{} {}", job.space.name, job.strategy));
        progress.inc(1);
        if let Some(file) = &mut file {
            file.append(&HistoryLine::new(key(job), !args.no_masks, &history))?;
        }
        histories[missing[position]] = Some(history);
        Ok::<(), CliError>(())
    })?;
    progress.finish_and_clear();
    let mut histories = histories.into_iter().flatten();
    let by_seed = |histories: &mut dyn Iterator<Item = History>| -> Vec<History> {
        histories.take(args.seeds).collect()
    };
    Ok(spaces
        .iter()
        .map(|_| {
            args.strategies()
                .iter()
                .map(|_| by_seed(&mut histories))
                .collect()
        })
        .collect())
}

fn jobs<'a>(args: &ReplayArgs, spaces: &'a [RecordedSpace]) -> Vec<Job<'a>> {
    let mut jobs = Vec::new();
    for space in spaces {
        for strategy in args.strategies() {
            jobs.extend((0..args.seeds as u64).map(|seed| Job {
                space,
                strategy,
                seed,
                budget: args.budget,
                lookahead: args.lookahead,
                before: Before {
                    spaces,
                    budget: args.others,
                },
            }));
        }
    }
    jobs
}

fn key(job: &Job<'_>) -> RunKey {
    RunKey {
        space: job.space.name.clone(),
        strategy: job.strategy.to_string(),
        seed: job.seed,
        budget: job.budget,
        others: job.before.budget,
        lookahead: job.lookahead,
    }
}

/// Puts runs of the file in their places, those whose costs are still the space's.
fn take_earlier(
    jobs: &[Job<'_>],
    earlier: &BTreeMap<RunKey, HistoryLine>,
    histories: &mut [Option<History>],
    printer: Printer,
) {
    let (mut taken, mut stale) = (0, 0);
    for (job, history) in jobs.iter().zip(histories) {
        if let Some(line) = earlier.get(&key(job)) {
            *history = line.history(job.space);
            taken += usize::from(history.is_some());
            stale += usize::from(history.is_none());
        }
    }
    if taken > 0 {
        printer.note(format!("{taken} of {} runs are there already", jobs.len()));
    }
    if stale > 0 {
        printer.warning(format!(
            "{stale} runs of the file have other costs than the space has now; they are run again"
        ));
    }
}

fn progress_bar(runs: usize, printer: Printer) -> ProgressBar {
    let target = if printer.is_live() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(runs as u64), target);
    if let Ok(style) =
        ProgressStyle::with_template("[{elapsed}] {pos}/{len} runs, {eta} left: {wide_msg}")
    {
        bar.set_style(style);
    }
    bar
}

/// The file of --json: a line for each run, in the order of the runs.
struct JsonFile<'a> {
    path: &'a Path,
    file: std::fs::File,
}

impl<'a> JsonFile<'a> {
    fn open(path: &'a Path, keep: bool) -> Result<Self, CliError> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(keep)
            .write(true)
            .truncate(!keep)
            .open(path)
            .map_err(|error| json_error(path, &error))?;
        // A run that was killed may have left half a line.
        let ends_in_line_break = !keep
            || std::fs::read(path)
                .map_err(|error| json_error(path, &error))?
                .last()
                .is_none_or(|&last| last == b'\n');
        if !ends_in_line_break {
            file.write_all(b"\n")
                .map_err(|error| json_error(path, &error))?;
        }
        Ok(Self { path, file })
    }

    fn append(&mut self, line: &HistoryLine) -> Result<(), CliError> {
        let mut text = serde_json::to_string(line).map_err(|error| {
            CliError::new(ExitCode::Failure, format!("a run has no JSON: {error}"), "")
        })?;
        text.push('\n');
        self.file
            .write_all(text.as_bytes())
            .map_err(|error| json_error(self.path, &error))
    }
}

fn json_error(path: &Path, error: &std::io::Error) -> CliError {
    CliError::new(
        ExitCode::Failure,
        format!("cannot write {}: {error}", path.display()),
        "name a file that you may write with --json",
    )
}

impl From<ReplayError> for CliError {
    fn from(error: ReplayError) -> Self {
        Self::new(ExitCode::Failure, error.to_string(), "")
    }
}
