//! `arco-tvm record`: measures one task's space, all of it or a sample, into a log that `replay` takes for a device.
//!
//! It is a run of `tune` with one task, in the order of indices or at random.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::frontend::ExtractedTasks;
use crate::record::{DeclaredSpace, LogLines};
use crate::strategy::StrategyKind;
use crate::task::Task;
use crate::tuning::Output;

use super::args::{HostArgs, MeasureArgs, ModelArgs, TuneArgs};
use super::error::CliError;
use super::exit_code::ExitCode;
use super::format;
use super::printer::Printer;
use super::settings::SettingsFile;
use super::tune;

/// `arco-tvm record`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  arco-tvm record resnet-18 -t 'llvm -mcpu=native' --task 3 -o conv.log
  arco-tvm record resnet-18 -t 'llvm -mcpu=native' --task dense -o dense.log --min-repeat-ms 20
  arco-tvm record vgg-16 -t cuda --task 64x64x3x3 --sample 5000 -o conv.log --tracker 10.0.0.2:9190 --key a100

The log is AutoTVM's, with the knobs of the whole space in a comment. Seconds of building are in LOG.journal and part of
each record's total. The same command again goes on where the log ends. Measure on a machine that does nothing else:
what is recorded is what every strategy is judged by.")]
pub struct RecordArgs {
    /// Which model.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The task: its row in `arco-tvm tasks`, from 1, or a part of its name and shapes that only one task has
    #[arg(long, value_name = "N|TEXT")]
    pub task: String,
    /// Measure so many configurations at random instead of all of them
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub sample: Option<u32>,
    /// The log to append to
    #[arg(short, long, value_name = "LOG")]
    pub output: PathBuf,
    /// End after so many minutes; the same command goes on
    #[arg(long, value_name = "MINUTES")]
    pub time: Option<f64>,
    /// Seed of the sample [default: 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// How to measure.
    #[command(flatten)]
    pub measure: MeasureArgs,
    /// Which TVM.
    #[command(flatten)]
    pub host: HostArgs,
}

/// Which task of a model is recorded, and how much of it.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its number or a part of its label.
    task: String,
    /// A sample instead of the whole space.
    sample: Option<usize>,
}

/// Runs the command.
///
/// # Errors
/// See the exit codes.
pub async fn run(
    args: &RecordArgs,
    settings: &SettingsFile,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let strategy = match args.sample {
        Some(_) => StrategyKind::Random,
        None => StrategyKind::Grid,
    };
    let sample = args.sample.map(|sample| sample as usize);
    let tune_args = TuneArgs {
        model: args.model.clone(),
        output: args.output.clone(),
        trials: None,
        trials_per_task: None,
        time: args.time,
        // A record is of the whole space, whatever a settings file says of tuning.
        early_stopping: Some(usize::MAX),
        lookahead: None,
        json_progress: false,
        strategy: Some(strategy),
        warm_start: Vec::new(),
        seed: args.seed,
        measure: args.measure.clone(),
        host: args.host.clone(),
        recording: Some(Recording {
            task: args.task.clone(),
            sample,
        }),
    };
    let code = tune::run(&tune_args, settings, printer).await?;
    if code == ExitCode::Success {
        let log = format::shell_word(&args.output.display().to_string());
        printer.note(format!(
            "replay it: arco-tvm replay {log} --strategy {},random",
            StrategyKind::default()
        ));
    }
    Ok(code)
}

impl Recording {
    /// Leaves only the task that is recorded, and returns how many configurations of it are measured.
    ///
    /// # Errors
    /// When there is no such task, or more than one.
    pub fn narrow(&self, extracted: &mut ExtractedTasks) -> Result<usize, CliError> {
        let chosen = self.choose(&extracted.tasks)?;
        let whole = usize::try_from(chosen.space.range_length()).unwrap_or(usize::MAX);
        extracted.tasks = vec![chosen];
        // Links name tasks by position.
        extracted.links.clear();
        Ok(self.sample.unwrap_or(whole).min(whole))
    }

    fn choose(&self, tasks: &[Arc<Task>]) -> Result<Arc<Task>, CliError> {
        if let Ok(number) = self.task.parse::<usize>()
            && let Some(task) = number.checked_sub(1).and_then(|row| tasks.get(row))
        {
            return Ok(Arc::clone(task));
        }
        let matching: Vec<&Arc<Task>> = tasks
            .iter()
            .filter(|task| task.workload.label().contains(&self.task))
            .collect();
        if let [only] = matching[..] {
            return Ok(Arc::clone(only));
        }
        let message = match matching.len() {
            0 => format!("no task is called `{}`", self.task),
            n => format!("{n} tasks have `{}` in their names", self.task),
        };
        let listed: Vec<String> = tasks
            .iter()
            .enumerate()
            .map(|(row, task)| format!("\n  {} {}", row + 1, task.workload.label()))
            .collect();
        Err(CliError::new(
            ExitCode::Usage,
            message,
            format!("name one of these with --task:{}", listed.concat()),
        ))
    }
}

/// Writes a task's space into its log, unless it is there already.
///
/// # Errors
/// When the log cannot be read or written.
pub fn declare(task: &Task, log: &Path, output: &mut Output) -> Result<(), CliError> {
    let declared = DeclaredSpace::new(&task.workload, &task.space);
    let lines = LogLines::read(log).map_err(|error| {
        CliError::new(
            ExitCode::Log,
            format!("cannot read the log {}: {error}", log.display()),
            "name another log with -o",
        )
    })?;
    let known = lines
        .lines
        .iter()
        .any(|line| DeclaredSpace::from_line(&line.bytes).as_ref() == Some(&declared));
    if !known {
        output.comment(&declared.to_line())?;
    }
    Ok(())
}
