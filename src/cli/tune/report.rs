//! What a run found, as a table, and what to do next.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::tuning::{StopReason, TaskRun, TuneSummary};

use super::super::args::TuneArgs;
use super::super::error::CliError;
use super::super::exit_code::ExitCode;
use super::super::format;
use super::super::printer::Printer;
use super::super::simulated::Accelerator;

pub(super) fn report(
    summary: &TuneSummary,
    args: &TuneArgs,
    target: &str,
    best: Option<&Path>,
    took: Duration,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    if args.json_progress {
        let trials: usize = summary.tasks.iter().map(TaskRun::trials).sum();
        printer.result(json!({"event": "end", "trials": trials, "log": args.output}).to_string());
    } else {
        let mut head = vec![
            "task", "uses", "trials", "failed", "untuned", "best", "speed",
        ];
        let busy: Vec<Option<String>> = summary.tasks.iter().map(matrix_unit_busy).collect();
        let mut rows: Vec<Vec<String>> = summary.tasks.iter().map(report_row).collect();
        if busy.iter().any(Option::is_some) {
            head.push("MACs busy");
            for (row, busy) in rows.iter_mut().zip(busy) {
                row.push(busy.unwrap_or_else(|| "-".to_owned()));
            }
        }
        printer.result(format::table(&head, 1, rows));
    }
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
    let log = best.unwrap_or(&args.output);
    printer.note(format!("next: {}", verify_command(args, target, log)));
    Ok(ExitCode::Success)
}

/// The command that compares the tuned model with the untuned one, as a shell takes it.
fn verify_command(args: &TuneArgs, target: &str, log: &Path) -> String {
    let path = |path: &Path| path.display().to_string();
    let mut words = ["arco-tvm", "verify", &args.model.model, "--target", target]
        .map(str::to_owned)
        .to_vec();
    words.extend(["--log".to_owned(), path(log)]);
    let options = [
        ("--params", args.model.params.as_deref().map(path)),
        ("--batch", args.model.batch.map(|batch| batch.to_string())),
        ("--format", args.model.format.clone()),
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
    for input in &args.model.input_shape {
        words.extend(["--input-shape".to_owned(), input.to_string()]);
    }
    let words: Vec<_> = words.iter().map(|word| format::shell_word(word)).collect();
    words.join(" ")
}

/// The share of the cycles in which an accelerator's matrix unit multiplies, under the best configuration.
fn matrix_unit_busy(run: &TaskRun) -> Option<String> {
    let peak = Accelerator::peak_flops(&run.task().workload.target)?;
    Some(format!("{:.1} %", 100.0 * run.best_flops()? / peak))
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
