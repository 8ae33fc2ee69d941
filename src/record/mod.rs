//! AutoTVM's log: its lines in and out, exactly as TVM writes and reads them (version 0.2).

mod append;
mod best;
mod compressed;
mod declared_space;
mod identity;
mod lines;
mod lint;
mod measurement;
mod merge;
mod output;
mod python_json;
mod reader;
mod table;
mod target;

pub use append::{AppendError, AppendFile, Mended};
pub use best::best_records;
pub use compressed::read_bytes;
pub use declared_space::DeclaredSpace;
pub use lines::{LineContent, LogLine, LogLines};
pub use lint::{Finding, Lint, Severity};
pub use measurement::{ErrorNo, MeasureResult, Record, RecordError, TVM_VERSION};
pub use merge::{Merged, bytes_of};
pub use output::{WriteError, write_from};
pub use python_json::{as_float, dumps, loads};
pub use reader::{Log, SkipReason, SkippedLine, parse_log, read_log};
pub use table::{TableError, TableFormat, TableRow, read_table, write_table};
pub use target::TargetName;
