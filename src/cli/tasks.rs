//! `arco-tvm tasks`: a model's tasks, their spaces and knobs.

use serde_json::json;

use crate::agents::role_of;
use crate::task::{Task, TaskContext};

use super::args::TasksArgs;
use super::context::{Context, model_spec};
use super::error::CliError;
use super::exit_code::ExitCode;
use super::format;
use super::printer::Printer;
use super::settings::SettingsFile;

/// Runs the command.
///
/// # Errors
/// See the exit codes.
pub async fn run(
    args: &TasksArgs,
    settings: &SettingsFile,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let target = settings.target(args.model.target.as_deref())?;
    let context = Context::open(&args.host, settings)?.for_target(&target);
    let mut frontend = context.frontend().await?;
    let extracted = frontend.tasks(&model_spec(&args.model), &target).await;
    frontend.shut_down().await;
    let extracted = extracted?;
    for warning in &extracted.warnings {
        printer.warning(warning);
    }
    if args.json {
        let tasks: Vec<_> = extracted.tasks.iter().map(|task| task_json(task)).collect();
        printer.result(format!(
            "{:#}",
            json!({
                "model": extracted.model,
                "target": extracted.target,
                "tasks": tasks,
            })
        ));
        return Ok(ExitCode::Success);
    }
    printer.note(format!("{} for {}", extracted.model, extracted.target));
    if let Some(why) = &extracted.why_not {
        printer.note(format!("to tune them, another TVM is needed: {why}"));
    }
    let rows = extracted
        .tasks
        .iter()
        .map(|task| {
            vec![
                task.workload.label(),
                task.weight.to_string(),
                format::count(task.space.range_length()),
                task.space.knobs().len().to_string(),
                task.flop
                    .map_or("-".to_owned(), |flop| format!("{:.1}", flop / 1e6)),
            ]
        })
        .collect();
    printer.result(format::table(
        &["task", "uses", "configurations", "knobs", "MFLOP"],
        1,
        rows,
    ));
    if args.knobs {
        for task in &extracted.tasks {
            printer.result(format!("\n{}", task.workload.label()));
            printer.result(knobs(task));
        }
    }
    Ok(ExitCode::Success)
}

fn knobs(task: &Task) -> String {
    let context = TaskContext::of(&task.workload);
    let rows = task
        .space
        .knobs()
        .iter()
        .map(|knob| {
            let last = knob.entities().len() - 1;
            let shown: Vec<String> = (0..=last)
                .filter(|&e| e < 4 || e == last)
                .map(|e| knob.entities()[e].to_json().to_string())
                .collect();
            let gap = if last > 4 {
                shown[..4].join(" ") + " .. " + &shown[4]
            } else {
                shown.join(" ")
            };
            vec![
                format!("  {}", knob.name()),
                knob.kind().tag().to_owned(),
                role_of(&context, knob).name().to_owned(),
                knob.len().to_string(),
                gap,
            ]
        })
        .collect();
    format::table(&["  knob", "kind", "agent", "values", ""], 5, rows)
}

fn task_json(task: &Task) -> serde_json::Value {
    let context = TaskContext::of(&task.workload);
    let knobs: Vec<_> = task
        .space
        .knobs()
        .iter()
        .map(|knob| {
            json!({
                "name": knob.name(),
                "kind": knob.kind().tag(),
                "agent": role_of(&context, knob).name(),
                "values": knob.entities().iter().map(|entity| entity.to_json()).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "name": task.workload.name,
        "args": task.workload.args,
        "target": task.workload.target,
        "uses": task.weight,
        "group": task.group,
        "flop": task.flop,
        "configurations": task.space.range_length(),
        "filtered": task.space.is_filtered(),
        "knobs": knobs,
    })
}
