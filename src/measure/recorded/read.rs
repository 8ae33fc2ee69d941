//! Reads a file of any of the formats, which are told apart by what is in them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::record::{DeclaredSpace, LineContent, LogLines, loads, read_bytes};

use super::autotvm;
use super::error::RecordedError;
use super::kernel_tuner;
use super::landscape;
use super::space::{Draft, RecordedSpace};
use super::t1::T1;
use super::t4;

/// How files are read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Declared conditions; a space takes those that are about its parameters.
    pub conditions: Vec<T1>,
    /// Whether what can be computed of validity is kept from strategies. Without, it is open to them and fails.
    pub masks: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            conditions: Vec::new(),
            masks: true,
        }
    }
}

/// What a file had in it.
#[derive(Clone, Debug)]
pub struct Recording {
    /// A space for each task, in the order of the file.
    pub spaces: Vec<RecordedSpace>,
    /// What the user should know: lines that were skipped, costs that are none.
    pub notes: Vec<String>,
}

/// Reads the spaces of a file, gzipped or not.
///
/// # Errors
/// When it cannot be read, and as [`parse`].
pub fn read(path: &Path, options: &ReadOptions) -> Result<Recording, RecordedError> {
    parse(path, &unpacked(path)?, options)
}

/// What a file has in it, unpacked where it is gzipped.
///
/// # Errors
/// When it cannot be read.
pub fn unpacked(path: &Path) -> Result<Vec<u8>, RecordedError> {
    read_bytes(path).map_err(|source| RecordedError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// The spaces of a file that has these bytes in it.
///
/// # Errors
/// When it is in no known format, or holds nothing to choose from.
pub fn parse(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<Recording, RecordedError> {
    let mut notes = Vec::new();
    let drafts = drafts(path, bytes, options, &mut notes)?;
    if drafts.is_empty() {
        return Err(RecordedError::Empty {
            name: path.display().to_string(),
        });
    }
    let spaces = drafts
        .into_iter()
        .map(|mut draft| {
            let unusable = fail_costs_that_are_none(&mut draft);
            if unusable > 0 {
                notes.push(format!(
                    "{}: {unusable} costs are no times (NaN, infinite or not positive) and count as failures",
                    draft.name
                ));
            }
            draft.finish(options.masks)
        })
        .collect::<Result<_, _>>()?;
    Ok(Recording { spaces, notes })
}

/// A cost that is no time is a failure, as AutoTVM never prefers one.
fn fail_costs_that_are_none(draft: &mut Draft) -> usize {
    let mut unusable = 0;
    for (_, evaluation) in &mut draft.evaluations {
        if evaluation
            .cost
            .is_ok_and(|cost| !cost.is_finite() || cost <= 0.0)
        {
            evaluation.cost = Err(crate::record::ErrorNo::Unknown);
            unusable += 1;
        }
        evaluation.seconds = evaluation
            .seconds
            .filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    }
    unusable
}

fn drafts(
    path: &Path,
    bytes: &[u8],
    options: &ReadOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<Draft>, RecordedError> {
    let name = short_name(path);
    let wrong = |reason: String| RecordedError::Format {
        path: path.to_owned(),
        reason,
    };
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("no UTF-8 text".to_owned()))?;
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let Some(first) = first else {
        return Err(RecordedError::Empty {
            name: path.display().to_string(),
        });
    };
    // Kernel Tuner and T4 files are one object; their first line alone is none, unless all stands on one line.
    if let Ok(line) = loads(first)
        && line.is_object()
    {
        if landscape::is_line(&line) {
            let lines = json_lines(path, text, notes);
            return Ok(vec![landscape::draft(name, lines, wrong)?]);
        }
        if !is_one_object(&line) {
            return log_drafts(path, &name, bytes, notes);
        }
    }
    let file = match loads(text) {
        Ok(file) => file,
        // Kernel Tuner closes a cache when it ends; one that was killed leaves it open.
        Err(error) => match loads(&closed(text)) {
            Ok(file) => {
                notes.push(format!(
                    "{} is the cache of a run that did not end",
                    path.display()
                ));
                file
            }
            Err(_) if first.starts_with("{\"input\"") => {
                return log_drafts(path, &name, bytes, notes);
            }
            Err(_) => return Err(wrong(format!("no JSON: {error}"))),
        },
    };
    if file["cache"].is_object() {
        return Ok(vec![kernel_tuner::draft(
            name,
            &file,
            &options.conditions,
            wrong,
        )?]);
    }
    if file["results"].is_array() {
        return Ok(vec![t4::draft(name, &file, &options.conditions, wrong)?]);
    }
    let reason = if file["ConfigurationSpace"].is_object() {
        "it is a T1 file: give it with --conditions, beside the file with the results"
    } else {
        "it is no AutoTVM log, Kernel Tuner cache, T4 file or VTA landscape"
    };
    Err(wrong(reason.to_owned()))
}

fn is_one_object(line: &Value) -> bool {
    ["cache", "results", "ConfigurationSpace"]
        .iter()
        .any(|key| line.get(*key).is_some())
}

fn closed(text: &str) -> String {
    let text = text.trim_end();
    format!("{}}}\n}}", text.strip_suffix(',').unwrap_or(text))
}

/// The file's name without its endings: what its space is called.
pub fn short_name(path: &Path) -> String {
    let name = PathBuf::from(path.file_name().unwrap_or_default());
    let mut name = name.display().to_string();
    for ending in [".gz", ".json", ".jsonl", ".log", ".ndjson"] {
        if let Some(short) = name.strip_suffix(ending).filter(|short| !short.is_empty()) {
            name = short.to_owned();
        }
    }
    name
}

fn log_drafts(
    path: &Path,
    name: &str,
    bytes: &[u8],
    notes: &mut Vec<String>,
) -> Result<Vec<Draft>, RecordedError> {
    let log = LogLines::parse(path, bytes);
    let mut records = Vec::new();
    let mut declared = Vec::new();
    let mut first = None;
    for line in log.lines {
        match line.content {
            LineContent::Record(record) => records.push(*record),
            LineContent::Comment => declared.extend(DeclaredSpace::from_line(&line.bytes)),
            LineContent::Skipped(reason) => {
                let said = format!("line {}: {reason}", line.number);
                notes.push(format!("{}, {said} (skipped)", path.display()));
                first.get_or_insert(said);
            }
        }
    }
    match (records.is_empty(), first) {
        (true, Some(reason)) => Err(RecordedError::Format {
            path: path.to_owned(),
            reason,
        }),
        _ => autotvm::drafts(name, records, &declared),
    }
}

fn json_lines(path: &Path, text: &str, notes: &mut Vec<String>) -> Vec<Value> {
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match loads(line) {
            Ok(line) if landscape::is_line(&line) => lines.push(line),
            _ => notes.push(format!(
                "{}, line {}: no line of a landscape (skipped)",
                path.display(),
                number + 1
            )),
        }
    }
    lines
}
