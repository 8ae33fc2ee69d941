//! AutoTVM's record: what was measured, with which configuration, and what came of it.

use serde_json::{Value, json};

use crate::task::{ConfigEntity, ConfigError, Workload};

use super::python_json::{as_float, dumps, float_repr, loads};

/// The version of TVM that our lines name.
pub const TVM_VERSION: &str = "0.19.0";

/// AutoTVM's `MeasureErrorNo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ErrorNo {
    /// A measured time.
    NoError = 0,
    /// The template or a validity pass refused the configuration.
    Instantiation = 1,
    /// The build failed.
    CompileHost = 2,
    /// The device's compiler failed.
    CompileDevice = 3,
    /// The run failed, or a build worker died.
    RuntimeDevice = 4,
    /// The output was wrong.
    WrongAnswer = 5,
    /// The build took too long.
    BuildTimeout = 6,
    /// The run took too long.
    RunTimeout = 7,
    /// Anything else.
    Unknown = 8,
}

impl ErrorNo {
    /// All numbers, in order.
    pub const ALL: [Self; 9] = [
        Self::NoError,
        Self::Instantiation,
        Self::CompileHost,
        Self::CompileDevice,
        Self::RuntimeDevice,
        Self::WrongAnswer,
        Self::BuildTimeout,
        Self::RunTimeout,
        Self::Unknown,
    ];

    /// The error with this number.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The name that AutoTVM gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoError => "NO_ERROR",
            Self::Instantiation => "INSTANTIATION_ERROR",
            Self::CompileHost => "COMPILE_HOST",
            Self::CompileDevice => "COMPILE_DEVICE",
            Self::RuntimeDevice => "RUNTIME_DEVICE",
            Self::WrongAnswer => "WRONG_ANSWER",
            Self::BuildTimeout => "BUILD_TIMEOUT",
            Self::RunTimeout => "RUN_TIMEOUT",
            Self::Unknown => "UNKNOWN_ERROR",
        }
    }
}

/// AutoTVM's `MeasureResult`.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureResult {
    /// Seconds of one run, one per repeat; `[1e9]` on failure.
    pub costs: Vec<f64>,
    /// What went wrong.
    pub error_no: ErrorNo,
    /// Seconds that building and measuring took.
    pub all_cost: f64,
    /// When it was measured, in seconds since 1970.
    pub timestamp: f64,
}

impl MeasureResult {
    /// Mean seconds of one run, or `None` on failure. AutoTVM ranks by this mean.
    ///
    /// It is NumPy's mean to the last bit: where two records are that close, TVM and we agree on the better one.
    pub fn mean_cost(&self) -> Option<f64> {
        let ok = self.error_no == ErrorNo::NoError && !self.costs.is_empty();
        ok.then(|| pairwise_sum(&self.costs) / self.costs.len() as f64)
    }
}

/// The sum in the order in which NumPy adds (`pairwise_sum` in numpy/_core/src/umath/loops_utils.h.src).
fn pairwise_sum(values: &[f64]) -> f64 {
    /// Up to so many values are added in one loop, eight sums at a time.
    const BLOCK: usize = 128;
    match values.len() {
        0..8 => values.iter().fold(0.0, |sum, value| sum + value),
        8..=BLOCK => {
            let (eights, rest) = values.as_chunks::<8>();
            let mut sums = [0.0; 8];
            for eight in eights {
                for (sum, value) in sums.iter_mut().zip(eight) {
                    *sum += value;
                }
            }
            let [a, b, c, d, e, f, g, h] = sums;
            let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
            rest.iter().fold(sum, |sum, value| sum + value)
        }
        n => {
            let half = n / 2;
            let (left, right) = values.split_at(half - half % 8);
            pairwise_sum(left) + pairwise_sum(right)
        }
    }
}

/// One line of an AutoTVM log.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Which task.
    pub workload: Workload,
    /// Which configuration.
    pub config: ConfigEntity,
    /// What came of it.
    pub result: MeasureResult,
}

/// Why a line is no record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No JSON at all.
    #[error("no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of another kind.
    #[error("no AutoTVM record: `{field}` is missing or is no {expected}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The format that AutoTVM had before 0.2.
    #[error("AutoTVM log version {found}; only 0.2 is read")]
    Version {
        /// The version found.
        found: String,
    },
    /// The configuration is malformed.
    #[error("no AutoTVM record: config: {0}")]
    Config(#[from] ConfigError),
}

const fn missing(field: &'static str, expected: &'static str) -> RecordError {
    RecordError::Field { field, expected }
}

impl Record {
    /// The line as AutoTVM's `record.encode` writes it, without the line break.
    pub fn to_line(&self) -> String {
        self.to_line_of(TVM_VERSION)
    }

    /// The same line as this version of TVM would have written it.
    pub fn to_line_of(&self, tvm_version: &str) -> String {
        let Workload { target, name, args } = &self.workload;
        let MeasureResult {
            costs,
            error_no,
            all_cost,
            timestamp,
        } = &self.result;
        let costs: &[f64] = if *error_no == ErrorNo::NoError {
            costs
        } else {
            &[1e9]
        };
        // By hand where JSON has no number for what Python writes (NaN).
        let costs: Vec<String> = costs.iter().copied().map(float_repr).collect();
        format!(
            "{{\"input\": {}, \"config\": {}, \"result\": [[{}], {}, {}, {}], \"version\": 0.2, \"tvm_version\": {}}}",
            dumps(&json!([target, name, args, {}])),
            dumps(&self.config.to_json()),
            costs.join(", "),
            *error_no as u8,
            float_repr(*all_cost),
            float_repr(*timestamp),
            dumps(&json!(tvm_version)),
        )
    }

    /// Reads one line.
    ///
    /// # Errors
    /// When it is no JSON, or no AutoTVM record of version 0.2.
    pub fn from_line(line: &str) -> Result<Self, RecordError> {
        let line: Value = loads(line)?;
        let version = line.get("version").or_else(|| line.get("v"));
        if let Some(version) = version.filter(|v| v.as_f64() != Some(0.2)) {
            return Err(RecordError::Version {
                found: version.to_string(),
            });
        }
        let text = |value: &Value, field| {
            value
                .as_str()
                .map(str::to_owned)
                .ok_or(missing(field, "text"))
        };
        let input = &line["input"];
        // Python unpacks exactly four; what the fourth (keyword arguments) says, AutoTVM drops.
        if input.as_array().is_none_or(|input| input.len() != 4) {
            return Err(missing("input", "list of four"));
        }
        if line["config"].get("code_hash").is_none() {
            return Err(missing("config.code_hash", "value (null, say)"));
        }
        let workload = Workload {
            target: text(&input[0], "input[0] (target)")?,
            name: text(&input[1], "input[1] (task name)")?,
            args: input
                .get(2)
                .filter(|args| args.is_array())
                .cloned()
                .ok_or(missing("input[2] (arguments)", "list"))?,
        };
        let config = ConfigEntity::from_json(&line["config"])?;
        Ok(Self {
            workload,
            config,
            result: result_from_json(&line["result"])?,
        })
    }
}

fn result_from_json(result: &Value) -> Result<MeasureResult, RecordError> {
    let number = |value: &Value, field| as_float(value).ok_or(missing(field, "number"));
    if result.as_array().is_none_or(|result| result.len() != 4) {
        return Err(missing("result", "list of four"));
    }
    let costs = result[0]
        .as_array()
        .ok_or(missing("result[0] (costs)", "list"))?
        .iter()
        .map(|cost| number(cost, "result[0] (costs)"))
        .collect::<Result<Vec<_>, _>>()?;
    let error_no = result[1]
        .as_u64()
        .and_then(ErrorNo::from_number)
        .ok_or(missing("result[1] (error number)", "number from 0 to 8"))?;
    Ok(MeasureResult {
        costs,
        error_no,
        all_cost: number(&result[2], "result[2] (seconds in all)")?,
        timestamp: number(&result[3], "result[3] (time stamp)")?,
    })
}
