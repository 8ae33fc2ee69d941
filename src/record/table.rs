//! A log as a table, one row for each record and one column for each knob, for spreadsheets and data frames.
//!
//! Nothing that TVM uses is lost on the way there and back. Columns: `target`, `task`, `args` (JSON), `index`,
//! `error_no`, `error` (its name), `mean_cost_s`, `costs_s` (JSON list), `all_cost_s`, `timestamp`, `tvm_version`, `knobs` (JSON
//! list of the record's knobs in definition order), and for each knob `NAME:KIND` with its value as JSON. `error` and
//! `mean_cost_s` are there for the reader; on the way back they are not looked at.

use serde_json::{Map, Value, json};

use crate::task::{ConfigEntity, ConfigError, KnobKind, Workload};

use super::lines::LogLines;
use super::measurement::{ErrorNo, MeasureResult, Record, TVM_VERSION};
use super::python_json::{as_float, dumps, float_repr, loads};

/// The columns before those of the knobs.
const FIXED: [&str; 12] = [
    "target",
    "task",
    "args",
    "index",
    "error_no",
    "error",
    "mean_cost_s",
    "costs_s",
    "all_cost_s",
    "timestamp",
    "tvm_version",
    "knobs",
];
/// Of these, what a spreadsheet shows and a reader does not need.
const FOR_READERS: [&str; 2] = ["error", "mean_cost_s"];
/// Fixed columns whose value is text; the others are JSON.
const TEXT: [&str; 4] = ["target", "task", "error", "tvm_version"];

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Comma-separated values with a head line (RFC 4180).
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// A record and the TVM that wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRow {
    /// The record.
    pub record: Record,
    /// Version of TVM.
    pub tvm_version: String,
}

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is no CSV.
    #[error("no table: {0}")]
    Csv(#[from] csv::Error),
    /// A line is no JSON object.
    #[error("line {line}: no JSON object: {reason}")]
    Json {
        /// Line number.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A column is missing, or its value is none.
    #[error("row {row}: column `{column}` is missing or is no {expected}")]
    Column {
        /// Row number, the head line not counted.
        row: usize,
        /// The column.
        column: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The knobs make no configuration.
    #[error("row {row}: {source}")]
    Config {
        /// Row number.
        row: usize,
        /// What is wrong.
        source: ConfigError,
    },
}

impl TableRow {
    /// The records of a log.
    pub fn of_log(log: &LogLines) -> Vec<Self> {
        log.records()
            .map(|(line, record)| {
                let version = std::str::from_utf8(&line.bytes)
                    .ok()
                    .and_then(|text| loads(text).ok())
                    .and_then(|line| line["tvm_version"].as_str().map(str::to_owned));
                Self {
                    record: record.clone(),
                    tvm_version: version.unwrap_or_else(|| TVM_VERSION.to_owned()),
                }
            })
            .collect()
    }

    /// The line of an AutoTVM log.
    pub fn to_line(&self) -> String {
        self.record.to_line_of(&self.tvm_version)
    }

    fn cells(&self) -> Map<String, Value> {
        let Record {
            workload,
            config,
            result,
        } = &self.record;
        let number = |value: f64| match serde_json::Number::from_f64(value) {
            Some(number) => Value::Number(number),
            // Python's name for it.
            None => Value::String(float_repr(value)),
        };
        let costs: Vec<Value> = result.costs.iter().copied().map(number).collect();
        let names: Vec<&str> = config.entities.iter().map(|(n, _)| n.as_str()).collect();
        let fixed = json!({
            "target": workload.target,
            "task": workload.name,
            "args": workload.args,
            "index": config.index.0,
            "error_no": result.error_no as u8,
            "error": result.error_no.name(),
            "mean_cost_s": result.mean_cost().map(number),
            "costs_s": costs,
            "all_cost_s": number(result.all_cost),
            "timestamp": number(result.timestamp),
            "tvm_version": self.tvm_version,
            "knobs": names,
        });
        let mut cells = match fixed {
            Value::Object(cells) => cells,
            _ => Map::new(),
        };
        for (name, entity) in &config.entities {
            cells.insert(knob_column(name, entity.kind()), entity.to_json());
        }
        cells
    }

    fn from_cells(row: usize, cells: &Map<String, Value>) -> Result<Self, TableError> {
        let wrong = |column: &str, expected| TableError::Column {
            row,
            column: column.to_owned(),
            expected,
        };
        let cell = |column: &str| cells.get(column).unwrap_or(&Value::Null);
        let text = |column| cell(column).as_str().ok_or(wrong(column, "text"));
        let whole = |column| cell(column).as_u64().ok_or(wrong(column, "whole number"));
        let list = |column| cell(column).as_array().ok_or(wrong(column, "JSON list"));
        let float = |column| number(cell(column)).ok_or(wrong(column, "number"));
        let costs = list("costs_s")?.iter().map(number);
        let costs: Option<Vec<f64>> = costs.collect();
        let error_no = ErrorNo::from_number(whole("error_no")?);
        let mut entities = Vec::new();
        for name in list("knobs")? {
            let name = name.as_str().ok_or(wrong("knobs", "list of names"))?;
            let kinds = [
                KnobKind::Split,
                KnobKind::Reorder,
                KnobKind::Annotate,
                KnobKind::Other,
            ];
            // A null is a knob's value only if nothing else is.
            let found = kinds
                .into_iter()
                .filter_map(|kind| Some((kind, cells.get(&knob_column(name, kind))?)))
                .max_by_key(|(_, value)| !value.is_null());
            let (kind, value) = found.ok_or(wrong(&format!("{name}:KIND"), "knob's value"))?;
            entities.push(json!([name, kind.tag(), value]));
        }
        let config = json!({"index": whole("index")?, "entity": entities});
        Ok(Self {
            record: Record {
                workload: Workload {
                    target: text("target")?.to_owned(),
                    name: text("task")?.to_owned(),
                    args: Value::Array(list("args")?.clone()),
                },
                config: ConfigEntity::from_json(&config)
                    .map_err(|source| TableError::Config { row, source })?,
                result: MeasureResult {
                    costs: costs.ok_or(wrong("costs_s", "list of numbers"))?,
                    error_no: error_no.ok_or(wrong("error_no", "number from 0 to 8"))?,
                    all_cost: float("all_cost_s")?,
                    timestamp: float("timestamp")?,
                },
            },
            tvm_version: text("tvm_version")?.to_owned(),
        })
    }
}

fn knob_column(name: &str, kind: KnobKind) -> String {
    format!("{name}:{}", kind.tag())
}

/// A number, or Python's name for one that JSON has not.
fn number(value: &Value) -> Option<f64> {
    as_float(value).or_else(|| match value.as_str()? {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    })
}

/// Writes records as a table. Columns of knobs come in the order in which the knobs appear.
///
/// # Errors
/// Never in practice: memory takes every byte.
pub fn write_table(rows: &[TableRow], format: TableFormat) -> Result<Vec<u8>, TableError> {
    let cells: Vec<Map<String, Value>> = rows.iter().map(TableRow::cells).collect();
    if format == TableFormat::JsonLines {
        let mut text = String::new();
        for row in cells {
            text += &dumps(&Value::Object(row));
            text.push('\n');
        }
        return Ok(text.into_bytes());
    }
    let mut columns: Vec<&str> = FIXED.to_vec();
    let mut known: std::collections::HashSet<&str> = columns.iter().copied().collect();
    for name in cells.iter().flat_map(|row| row.keys()) {
        if known.insert(name) {
            columns.push(name);
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&columns)?;
    for row in &cells {
        writer.write_record(columns.iter().map(|&column| match row.get(column) {
            None => String::new(),
            Some(Value::Null) if FOR_READERS.contains(&column) => String::new(),
            Some(Value::String(text)) if FIXED.contains(&column) => text.clone(),
            Some(value) => dumps(value),
        }))?;
    }
    writer
        .into_inner()
        .map_err(|error| TableError::Csv(error.into_error().into()))
}

/// Reads a table back.
///
/// # Errors
/// When it is no table, or a row no record.
pub fn read_table(bytes: &[u8], format: TableFormat) -> Result<Vec<TableRow>, TableError> {
    let rows = match format {
        TableFormat::JsonLines => json_rows(bytes)?,
        TableFormat::Csv => csv_rows(bytes)?,
    };
    rows.iter()
        .enumerate()
        .map(|(position, cells)| TableRow::from_cells(position + 1, cells))
        .collect()
}

fn json_rows(bytes: &[u8]) -> Result<Vec<Map<String, Value>>, TableError> {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(position, line)| {
            let wrong = |reason: String| TableError::Json {
                line: position + 1,
                reason,
            };
            match loads(line).map_err(|error| wrong(error.to_string()))? {
                Value::Object(cells) => Ok(cells),
                other => Err(wrong(other.to_string())),
            }
        })
        .collect()
}

fn csv_rows(bytes: &[u8]) -> Result<Vec<Map<String, Value>>, TableError> {
    let mut reader = csv::Reader::from_reader(bytes);
    let columns = reader.headers()?.clone();
    let mut rows = Vec::new();
    for (position, cells) in reader.records().enumerate() {
        let cells = cells?;
        let mut row = Map::new();
        for (column, cell) in columns.iter().zip(&cells) {
            if cell.is_empty() || FOR_READERS.contains(&column) {
                continue;
            }
            let value = if TEXT.contains(&column) {
                Value::from(cell)
            } else {
                match loads(cell) {
                    Ok(value) => value,
                    // `NaN` as a cell of its own.
                    Err(_) if number(&Value::from(cell)).is_some() => Value::from(cell),
                    // Spreadsheets write a truth value in capitals.
                    Err(_) if cell.eq_ignore_ascii_case("true") => Value::Bool(true),
                    Err(_) if cell.eq_ignore_ascii_case("false") => Value::Bool(false),
                    Err(_) => {
                        return Err(TableError::Column {
                            row: position + 1,
                            column: column.to_owned(),
                            expected: "JSON value",
                        });
                    }
                }
            };
            row.insert(column.to_owned(), value);
        }
        rows.push(row);
    }
    Ok(rows)
}
