//! AutoTVM's log: its lines in and out, exactly as TVM writes and reads them (version 0.2).

mod measurement;
mod python_json;
mod reader;
mod writer;

pub use measurement::{ErrorNo, MeasureResult, Record, RecordError, TVM_VERSION};
pub use python_json::dumps;
pub use reader::{Log, SkipReason, SkippedLine, parse_log, read_log};
pub use writer::{LogError, LogWriter, Mended};
