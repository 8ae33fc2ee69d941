//! T4 files of the FAIR Benchmark Hub: results of an auto-tuner, one object for each configuration.
//!
//! T4 lists no parameters: values are those that occur, or those of the T1 file. It knows no benchmark time, either: an
//! evaluation counts as compilation + validation + the runs themselves.

use serde_json::Value;

use crate::record::{ErrorNo, as_float};
use crate::task::{Entity, TargetKind, TaskContext};

use super::error::RecordedError;
use super::kernel_tuner::{declared, digits, failure, knob};
use super::knobs::{knobs_that_occur, sorted};
use super::space::{Draft, Evaluation};
use super::t1::T1;

/// The space of a T4 file.
///
/// # Errors
/// When a result has no configuration, or the unit of time is unknown.
pub(super) fn draft(
    name: String,
    file: &Value,
    conditions: &[T1],
    wrong: impl Fn(String) -> RecordedError,
) -> Result<Draft, RecordedError> {
    let unit = seconds_of_unit(file["metadata"]["timeunit"].as_str()).map_err(&wrong)?;
    let results = file["results"].as_array().map(Vec::as_slice);
    let results = results.unwrap_or_default();
    let configuration = |result: usize| {
        let found = results[result]["configuration"].as_object();
        found.ok_or_else(|| wrong(format!("result {result} has no `configuration`")))
    };
    let names: Vec<String> = match results.is_empty() {
        true => return Err(RecordedError::Empty { name }),
        false => configuration(0)?.keys().cloned().collect(),
    };
    let knobs = match conditions.iter().find(|t1| t1.is_about(&names)) {
        Some(t1) => names
            .iter()
            .map(|parameter| {
                let declared = t1.parameters.iter().find(|(name, _)| name == parameter);
                knob(
                    &name,
                    parameter,
                    declared.map_or(&[], |(_, values)| values.as_slice()),
                )
            })
            .collect::<Result<Vec<_>, _>>()?,
        None => {
            let rows: Vec<Vec<Entity>> = results
                .iter()
                .map(|result| {
                    let value = |name| Entity::Other(result["configuration"][name].clone());
                    names.iter().map(value).collect()
                })
                .collect();
            knobs_that_occur(&names, rows.iter().map(Vec::as_slice))
                .and_then(sorted)
                .map_err(|source| RecordedError::Knob {
                    name: name.clone(),
                    source,
                })?
        }
    };
    let evaluations = results
        .iter()
        .enumerate()
        .map(|(r, result)| {
            let values = configuration(r)?;
            let value = |name: &str| values.get(name).unwrap_or(&Value::Null);
            let digits =
                digits(&knobs, value).map_err(|reason| wrong(format!("result {r}: {reason}")))?;
            Ok((digits, evaluation(result, unit)))
        })
        .collect::<Result<Vec<_>, RecordedError>>()?;
    Ok(Draft {
        mask: declared(&names, &knobs, conditions)?,
        name,
        knobs,
        context: TaskContext::bare(TargetKind::Gpu),
        evaluations,
    })
}

/// Seconds of the unit that the file names; files are known that misspell it.
fn seconds_of_unit(unit: Option<&str>) -> Result<f64, String> {
    Ok(match unit.unwrap_or_default() {
        "" | "miliseconds" | "milliseconds" | "ms" => 1e-3,
        "seconds" | "s" => 1.0,
        "microseconds" | "us" => 1e-6,
        "nanoseconds" | "ns" => 1e-9,
        other => return Err(format!("`{other}` is no unit of time that is known")),
    })
}

fn evaluation(result: &Value, unit: f64) -> Evaluation {
    let invalidity = result["invalidity"].as_str().unwrap_or("correct");
    let measured = result["measurements"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|measurement| measurement["name"] == "time");
    let time = measured.and_then(|measurement| as_float(&measurement["value"]));
    let cost = match (invalidity, time) {
        ("correct", Some(time)) => Ok(time * unit),
        ("correct", None) => Err(ErrorNo::Unknown),
        (name, _) => Err(failure(name)),
    };
    let times = &result["times"];
    let runs = times["runtimes"].as_array().into_iter().flatten();
    let seconds = ["compilation", "validation"]
        .iter()
        .filter_map(|part| times[*part].as_f64())
        .chain(runs.filter_map(Value::as_f64));
    Evaluation {
        cost,
        seconds: times.is_object().then(|| seconds.sum::<f64>() * unit),
    }
}
