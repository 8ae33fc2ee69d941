//! AutoTVM's log: its lines in and out, exactly as TVM writes and reads them (version 0.2).

mod append;
mod measurement;
mod python_json;
mod reader;

pub use append::{AppendError, AppendFile, Mended};
pub use measurement::{ErrorNo, MeasureResult, Record, RecordError, TVM_VERSION};
pub use python_json::dumps;
pub use reader::{Log, SkipReason, SkippedLine, parse_log, read_log};
