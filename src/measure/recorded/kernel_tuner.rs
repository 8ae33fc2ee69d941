//! Kernel Tuner's caches: one JSON object with the parameters' values and an entry for each configuration.
//!
//! All times are milliseconds; `time` is a text where a configuration failed. One evaluation took compile_time +
//! verification_time + benchmark_time.

use std::sync::Arc;

use serde_json::Value;

use crate::record::{ErrorNo, as_float};
use crate::task::{Entity, Knob, KnobKind, TargetKind, TaskContext};

use super::error::RecordedError;
use super::mask::{Declared, Mask};
use super::space::{Draft, Evaluation};
use super::t1::T1;

const MILLISECOND: f64 = 1e-3;

/// The space of a cache.
///
/// # Errors
/// When the file has not what a cache has, or an entry has a value that its parameter does not list.
pub(super) fn draft(
    name: String,
    cache: &Value,
    conditions: &[T1],
    wrong: impl Fn(String) -> RecordedError,
) -> Result<Draft, RecordedError> {
    let names: Vec<String> = match cache["tune_params_keys"].as_array() {
        Some(names) => texts(names),
        None => cache["tune_params"]
            .as_object()
            .map(|parameters| parameters.keys().cloned().collect())
            .unwrap_or_default(),
    };
    let knobs = names
        .iter()
        .map(|parameter| {
            let values = cache["tune_params"][parameter].as_array();
            let values = values
                .ok_or_else(|| wrong(format!("parameter `{parameter}` has no list of values")))?;
            knob(&name, parameter, values)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let entries = cache["cache"]
        .as_object()
        .ok_or_else(|| wrong("`cache` is no object".to_owned()))?;
    let evaluations = entries
        .iter()
        .map(|(key, entry)| {
            let digits = digits(&knobs, |parameter| &entry[parameter])
                .map_err(|reason| wrong(format!("entry \"{key}\": {reason}")))?;
            Ok((digits, evaluation(entry)))
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

fn texts(list: &[Value]) -> Vec<String> {
    list.iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// A parameter as a knob.
///
/// # Errors
/// When it has no value, or one that is a list.
pub(super) fn knob(space: &str, name: &str, values: &[Value]) -> Result<Knob, RecordedError> {
    let entities = values.iter().cloned().map(Entity::Other).collect();
    Knob::new(name, KnobKind::Other, entities).map_err(|source| RecordedError::Knob {
        name: space.to_owned(),
        source,
    })
}

/// The digits of a configuration that is given by the values of its parameters.
///
/// # Errors
/// When a parameter is missing or has a value that is not listed; the text says which.
pub(super) fn digits<'a>(
    knobs: &[Knob],
    value_of: impl Fn(&str) -> &'a Value,
) -> Result<Vec<u32>, String> {
    knobs
        .iter()
        .map(|knob| {
            let value = value_of(knob.name());
            knob.entities()
                .iter()
                .position(|entity| matches!(entity, Entity::Other(known) if same(known, value)))
                .map(|digit| digit as u32)
                .ok_or_else(|| format!("`{}` has no value {value}", knob.name()))
        })
        .collect()
}

/// Equal, or equal numbers: Python writes 1.0 where it has computed a 1.
fn same(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().is_some_and(|number| b.as_f64() == Some(number))
}

/// The conditions of the T1 file that is about these parameters.
pub(super) fn declared(
    names: &[String],
    knobs: &[Knob],
    conditions: &[T1],
) -> Result<Option<Arc<dyn Mask>>, RecordedError> {
    let Some(t1) = conditions.iter().find(|t1| t1.is_about(names)) else {
        return Ok(None);
    };
    let source = t1.path.display().to_string();
    let declared = Declared::new(t1.conditions_for(names)?, knobs, source);
    Ok(Some(Arc::new(declared)))
}

fn evaluation(entry: &Value) -> Evaluation {
    let cost = match &entry["time"] {
        Value::String(text) if as_float(&entry["time"]).is_none() => Err(failure(text)),
        time => as_float(time)
            .map(|ms| ms * MILLISECOND)
            .ok_or(ErrorNo::Unknown),
    };
    let parts = ["compile_time", "verification_time", "benchmark_time"];
    let parts: Vec<f64> = parts
        .iter()
        .filter_map(|part| entry[*part].as_f64())
        .collect();
    Evaluation {
        cost,
        seconds: (!parts.is_empty()).then(|| parts.iter().sum::<f64>() * MILLISECOND),
    }
}

/// The failure that Kernel Tuner names.
pub(super) fn failure(name: &str) -> ErrorNo {
    match name {
        "CompilationFailedConfig" | "compile" => ErrorNo::CompileDevice,
        "RuntimeFailedConfig" | "runtime" => ErrorNo::RuntimeDevice,
        "InvalidConfig" | "constraints" => ErrorNo::Instantiation,
        "correctness" => ErrorNo::WrongAnswer,
        "timeout" => ErrorNo::RunTimeout,
        _ => ErrorNo::Unknown,
    }
}
