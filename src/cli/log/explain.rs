//! `arco-tvm log explain`.

use serde_json::Value;

use crate::record::dumps;
use crate::tuning::{Explanation, FailureGroup, Placed, explain, read_journal};

use super::args::ExplainArgs;
use super::{plural, read, unreadable, warn_of_skipped};
use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::format;
use crate::cli::printer::Printer;

/// Lines of an error's text that are shown: its end, where the cause stands.
const TEXT_LINES: usize = 3;

pub fn run(args: &ExplainArgs, printer: Printer) -> Result<ExitCode, CliError> {
    let log = read(&args.log)?;
    warn_of_skipped(&log, printer);
    let mut events = read_journal(&args.log).map_err(|error| unreadable(&args.log, &error))?;
    if events.is_empty() && args.log.extension().is_some_and(|e| e == "gz") {
        // Only the log was packed.
        let plain = args.log.with_extension("");
        events = read_journal(&plain).map_err(|error| unreadable(&plain, &error))?;
    }
    let explanations = explain(&log, &events, &args.task, args.top);
    if explanations.is_empty() && log.records().next().is_some() {
        return Err(CliError::new(
            ExitCode::Usage,
            format!("no task of {} contains `{}`", args.log.display(), args.task),
            "`arco-tvm log explain LOG` without --task shows them all",
        ));
    }
    if args.json {
        let json = serde_json::to_string_pretty(&explanations).map_err(|error| {
            CliError::new(ExitCode::Failure, format!("no JSON of it: {error}"), "")
        })?;
        printer.result(json);
        return Ok(ExitCode::Success);
    }
    if events.is_empty() {
        printer.note(format!(
            "{} has no journal, so why a configuration was chosen and the text of errors are unknown",
            args.log.display()
        ));
    }
    for explanation in &explanations {
        show(explanation, printer);
    }
    Ok(ExitCode::Success)
}

fn show(e: &Explanation, printer: Printer) {
    printer.result(format!("{} for {}", e.label, e.workload.target));
    match &e.winner {
        Some(winner) => show_winner(e, winner, printer),
        None => printer.result(format!(
            "  no winner: {} and every one failed",
            plural(e.trials, "trial")
        )),
    }
    show_failures(e, printer);
    show_time(e, printer);
    if let Some(stop) = e.stop {
        printer.result(format!("  ended: {stop}"));
    }
    printer.result("");
}

fn show_winner(e: &Explanation, winner: &Placed, printer: Printer) {
    let against = match e.untuned_s {
        Some(untuned) if untuned <= winner.cost_s => {
            ", TVM's untuned schedule: nothing beat it".to_owned()
        }
        Some(untuned) => format!(
            ", {:.2} times as fast as TVM's untuned schedule ({})",
            untuned / winner.cost_s,
            format::seconds(untuned)
        ),
        None => String::new(),
    };
    printer.result(format!(
        "  winner: {}{against}; line {}, index {}",
        format::seconds(winner.cost_s),
        winner.line,
        winner.index
    ));
    let chosen = winner
        .why
        .as_ref()
        .map_or_else(String::new, |why| format!(", chosen as `{why}`"));
    printer.result(format!(
        "  found in trial {} of {}{chosen}, the last of {}",
        winner.trial,
        e.trials,
        plural(e.improvements.len(), "improvement")
    ));
    if let Some(spread) = spread(&winner.costs_s) {
        printer.result(format!(
            "  its {} repeats differ by {:.1} %{}",
            winner.costs_s.len(),
            spread * 100.0,
            close_call(e, spread)
        ));
    }
    if e.runners_up.is_empty() {
        return;
    }
    let mut head = vec!["".to_owned(), "winner".to_owned()];
    head.extend((0..e.runners_up.len()).map(|place| format!("{}.", place + 2)));
    let all = || std::iter::once(winner).chain(&e.runners_up);
    let row = |name: &str, value: &dyn Fn(&Placed) -> String| {
        std::iter::once(format!("  {name}"))
            .chain(all().map(value))
            .collect::<Vec<_>>()
    };
    let mut rows = vec![
        row("time", &|p| format::seconds(p.cost_s)),
        row("slower by", &|p| format!("{:.1} %", p.slower_by * 100.0)),
        row("trial", &|p| p.trial.to_string()),
        row("line", &|p| p.line.to_string()),
    ];
    if all().any(|p| p.why.is_some()) {
        rows.push(row("chosen as", &|p| p.why.clone().unwrap_or_default()));
    }
    for difference in &e.differences {
        let values = difference.values.iter().map(knob_value);
        rows.push(
            std::iter::once(format!("  {}", difference.knob))
                .chain(values)
                .collect(),
        );
    }
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    printer.result(format::table(&head, 1, rows));
}

/// How much the slowest repeat is above the fastest.
fn spread(costs: &[f64]) -> Option<f64> {
    let slowest = costs.iter().copied().reduce(f64::max)?;
    let fastest = costs.iter().copied().reduce(f64::min)?;
    (costs.len() > 1 && fastest > 0.0).then(|| slowest / fastest - 1.0)
}

fn close_call(e: &Explanation, spread: f64) -> &'static str {
    match e.runners_up.first() {
        Some(second) if second.slower_by < spread => {
            ", more than the second is behind: they may as well be equal"
        }
        _ => "",
    }
}

fn knob_value(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => dumps(other),
    }
}

fn show_failures(e: &Explanation, printer: Printer) {
    let failed: usize = e.failures.iter().map(|group| group.count).sum();
    if failed == 0 {
        return;
    }
    printer.result(format!("  failed: {failed} of {}", e.trials));
    for FailureGroup {
        error,
        reason,
        count,
        text,
    } in &e.failures
    {
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(": {reason}")
        };
        printer.result(format!("    {count} x {error}{reason}"));
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty() && !reason.ends_with(line))
            .collect();
        for line in &lines[lines.len().saturating_sub(TEXT_LINES)..] {
            printer.result(format!("        | {line}"));
        }
    }
}

fn show_time(e: &Explanation, printer: Printer) {
    let time = &e.time;
    if time.journalled == 0 {
        printer.result(format!("  time: {} in all", format::seconds(time.all_s)));
        return;
    }
    let stages: Vec<String> = time
        .stages_s
        .iter()
        .map(|(stage, seconds)| format!("{stage} {}", format::seconds(*seconds)))
        .collect();
    let stages = if stages.is_empty() {
        String::new()
    } else {
        format!(" ({})", stages.join(", "))
    };
    printer.result(format!(
        "  time: build {}{stages}, run {}",
        format::seconds(time.build_s),
        format::seconds(time.run_s)
    ));
}
