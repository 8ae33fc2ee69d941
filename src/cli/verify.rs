//! `arco-tvm verify`: each task and the whole network, untuned and with the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::frontend::{ExtractedTasks, Layer, Verified, VerifyRequest};
use crate::measure::{Candidate, Pipeline, TrialId};
use crate::record::Record;
use crate::task::{ConfigEntity, Task};

use super::args::VerifyArgs;
use super::context::{Context, greet_tracker, interruptible, model_spec};
use super::error::CliError;
use super::exit_code::ExitCode;
use super::fleet::Fleet;
use super::format;
use super::gpu::with_arch;
use super::printer::Printer;
use super::records::read_records;
use super::settings::SettingsFile;

/// Times that each variant of a task is measured; the median counts.
const ROUNDS: usize = 3;

/// Runs the command.
///
/// # Errors
/// See the exit codes.
pub async fn run(
    args: &VerifyArgs,
    settings: &SettingsFile,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let target = settings.target(args.model.target.as_deref())?;
    let fleet = Fleet::new(&args.measure, settings, &target)?;
    let records = read_records(&args.log, "make one with `arco-tvm tune`", printer)?;
    greet_tracker(fleet.tracker()).await?;
    let context = Context::open(&args.host, settings)?
        .for_target(&target)
        .with_runtime(&target, fleet.tracked().is_none(), printer)?;
    let target = interruptible(with_arch(target, &fleet, &context, printer)).await?;
    let mut frontend = context.frontend().await?;
    printer.note(format!(
        "importing {} and extracting its tasks",
        args.model.model
    ));
    let extracted = frontend.tasks(&model_spec(&args.model), &target).await?;
    for warning in &extracted.warnings {
        printer.warning(warning);
    }
    if !args.network_only {
        let options = fleet.pipeline(
            &context,
            &extracted.target,
            super::tune::device_type(&extracted)?,
        );
        let mut pipeline = Pipeline::start(&options).await?;
        let rows = compare_tasks(&extracted, &records, &mut pipeline, printer).await?;
        pipeline.shut_down().await;
        printer.result(format::table(
            &["task", "uses", "untuned", "tuned", "speedup"],
            1,
            rows,
        ));
    }
    printer.note("compiling the network without and with the log");
    let request = VerifyRequest {
        model: model_spec(&args.model),
        target,
        log: args.log.clone(),
        tracked: fleet.tracked(),
        cross_compiler: args.measure.cross_cc.clone(),
        repeat: args.network_repeat,
        seed: 0,
    };
    let verified = frontend.verify(&request).await;
    frontend.shut_down().await;
    let mut verified = verified?;
    // The frontend reads the target and the log once more and says the same of them.
    let log = std::path::absolute(&args.log).unwrap_or_else(|_| args.log.clone());
    let of_a_line = format!("{}:", log.display());
    verified.warnings.retain(|warning| {
        !extracted.warnings.contains(warning) && !warning.starts_with(&of_a_line)
    });
    report(&verified, printer)
}

/// The configuration with the lowest mean cost for each task, as `apply_history_best` would take it.
fn best_configs(tasks: &[Arc<Task>], records: &[Record]) -> BTreeMap<usize, ConfigEntity> {
    let mut best: BTreeMap<usize, (f64, &ConfigEntity)> = BTreeMap::new();
    for record in records {
        let Some(cost) = record.result.mean_cost() else {
            continue;
        };
        let Some(task) = tasks
            .iter()
            .position(|task| task.workload == record.workload)
        else {
            continue;
        };
        if best.get(&task).is_none_or(|(known, _)| cost < *known) {
            best.insert(task, (cost, &record.config));
        }
    }
    best.into_iter()
        .map(|(task, (_, config))| (task, config.clone()))
        .collect()
}

/// Measures each task with TVM's fallback schedule and with the log's best, in turn.
async fn compare_tasks(
    extracted: &ExtractedTasks,
    records: &[Record],
    pipeline: &mut Pipeline,
    printer: Printer,
) -> Result<Vec<Vec<String>>, CliError> {
    let best = best_configs(&extracted.tasks, records);
    let mut rows = Vec::new();
    for (t, task) in extracted.tasks.iter().enumerate() {
        printer.note(format!(
            "[{}/{}] measuring {}",
            t + 1,
            extracted.tasks.len(),
            task.workload.label()
        ));
        let mut variants = vec![Candidate {
            task: Arc::clone(task),
            config: None,
        }];
        variants.extend(best.get(&t).map(|config| Candidate {
            task: Arc::clone(task),
            config: Some(config.clone()),
        }));
        let mut costs: Vec<Vec<f64>> = vec![Vec::new(); variants.len()];
        let mut why = vec![String::new(); variants.len()];
        let width = variants.len();
        for (c, candidate) in std::iter::repeat_n(variants, ROUNDS).flatten().enumerate() {
            pipeline.submit(TrialId(c as u64), candidate);
        }
        while let Some((TrialId(c), measurement)) = pipeline.next().await? {
            let v = c as usize % width;
            match measurement.outcome {
                Ok(measured) => costs[v].extend(measured),
                Err(failure) => why[v] = failure.kind,
            }
        }
        let medians: Vec<Option<f64>> = costs.into_iter().map(median).collect();
        let shown = |v: usize| match medians.get(v).copied().flatten() {
            Some(seconds) => format::seconds(seconds),
            None if v < width => "failed".to_owned(),
            None => "no record".to_owned(),
        };
        for (v, reason) in why
            .iter()
            .enumerate()
            .filter(|(v, _)| medians[*v].is_none())
        {
            let variant = if v == 0 { "untuned" } else { "tuned" };
            printer.warning(format!("{} ({variant}): {reason}", task.workload.label()));
        }
        let speedup = match medians[..] {
            [Some(untuned), Some(tuned)] => format!("{:.2}x", untuned / tuned),
            _ => "-".to_owned(),
        };
        rows.push(vec![
            task.workload.label(),
            task.weight.to_string(),
            shown(0),
            shown(1),
            speedup,
        ]);
    }
    Ok(rows)
}

fn median(mut costs: Vec<f64>) -> Option<f64> {
    costs.sort_by(f64::total_cmp);
    let middle = costs.len() / 2;
    match costs.len() {
        0 => None,
        n if n % 2 == 1 => Some(costs[middle]),
        _ => Some(f64::midpoint(costs[middle - 1], costs[middle])),
    }
}

/// What each operator takes on an accelerator, and how much of the network runs beside it.
fn report_layers(layers: &[Layer], printer: Printer) {
    let cycles: u64 = layers.iter().filter_map(|layer| layer.cycles).sum();
    let sum = |f: fn(&Layer) -> Option<f64>| -> f64 { layers.iter().filter_map(f).sum() };
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let dash = || "-".to_owned();
    let rows = layers.iter().map(|layer| {
        let shape: Vec<String> = layer.shape.iter().map(u64::to_string).collect();
        let on_host = layer
            .host_seconds
            .map(|s| format!("host, {}", format::seconds(s)));
        vec![
            format!("{} {}", layer.name, shape.join("x")),
            layer.uses.to_string(),
            layer.cycles.map_or_else(dash, format::count),
            layer
                .cycles
                .map_or_else(dash, |own| percent(own as f64 / cycles as f64)),
            layer
                .cycles
                .and(layer.utilisation)
                .map_or_else(dash, percent),
            layer.bound_by.clone().or(on_host).unwrap_or_else(dash),
        ]
    });
    printer.result(format::table(
        &[
            "operator of the tuned network",
            "uses",
            "cycles",
            "share",
            "MACs busy",
            "bound by",
        ],
        1,
        rows.collect(),
    ));
    let on_host: u32 = layers
        .iter()
        .filter(|layer| layer.cycles.is_none())
        .map(|layer| layer.uses)
        .sum();
    printer.result(format!(
        "on the accelerator {} ({} cycles, simulated); on the host {} in {on_host} calls (measured on this machine, in no \
         other figure)",
        format::seconds(sum(|layer| layer.seconds)),
        format::count(cycles),
        format::seconds(sum(|layer| layer.host_seconds)),
    ));
}

fn report(verified: &Verified, printer: Printer) -> Result<ExitCode, CliError> {
    for warning in &verified.warnings {
        printer.warning(warning);
    }
    if !verified.layers.is_empty() {
        report_layers(&verified.layers, printer);
    }
    let time = |ms: f64| format::seconds(ms / 1e3);
    printer.result(format!(
        "\nwhole network on {}: untuned {}, tuned {}: {:.2}x",
        verified.device,
        time(verified.untuned.median_ms),
        time(verified.tuned.median_ms),
        verified.speedup
    ));
    printer.result(format!(
        "records applied to {} workloads, none for {}",
        verified.applied.len(),
        verified.missing.len()
    ));
    for workload in &verified.missing {
        printer.note(format!(
            "  no record: {} {}",
            workload["name"], workload["args"]
        ));
    }
    let error = |value: Option<f64>| value.map_or("not finite".to_owned(), |v| format!("{v:.2e}"));
    let differences = format!(
        "largest difference of an output {} ({} of the largest output)",
        error(verified.max_abs_error),
        error(verified.max_rel_error)
    );
    if verified.matches {
        printer.result(format!("outputs agree: {differences}"));
        Ok(ExitCode::Success)
    } else {
        Err(CliError::new(
            ExitCode::Mismatch,
            format!("the tuned network computes something else: {differences}"),
            "find the record that is wrong by leaving out tasks from the log one after the other",
        ))
    }
}
