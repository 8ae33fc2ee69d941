//! Reads AutoTVM logs, and survives what TVM's own reader dies of: blank, truncated and foreign lines.

use std::fmt;
use std::path::{Path, PathBuf};

use super::lines::{LineContent, LogLines};
use super::measurement::{Record, RecordError};

/// A log as read: every record with its line, and what was skipped.
#[derive(Debug, Default)]
pub struct Log {
    /// Records with their line numbers (from 1), in file order.
    pub records: Vec<(usize, Record)>,
    /// Lines that are no records.
    pub skipped: Vec<SkippedLine>,
}

/// A line that is no record.
#[derive(Debug)]
pub struct SkippedLine {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Line number, from 1.
    pub line: usize,
    /// Why it was skipped.
    pub reason: SkipReason,
}

/// Why a line was skipped.
#[derive(Debug)]
pub enum SkipReason {
    /// Nothing but white space. TVM's own reader stops here with an error.
    Blank,
    /// The last line, without its end: the writer was killed.
    Truncated,
    /// No record, and why.
    Foreign(RecordError),
    /// Bytes that are no UTF-8.
    NotText,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("blank line"),
            Self::Truncated => f.write_str("truncated last line"),
            Self::Foreign(error) => error.fmt(f),
            Self::NotText => f.write_str("no UTF-8 text"),
        }
    }
}

impl SkipReason {
    /// Whether TVM's own reader stops at such a line with an error, and with it whoever compiles with the log.
    pub const fn stops_tvm(&self) -> bool {
        // It passes over lines of version 0.1; of later ones it knows only our own.
        !matches!(self, Self::Foreign(RecordError::Version { .. }))
    }
}

impl fmt::Display for SkippedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, reason } = self;
        write!(f, "{}, line {line} skipped: {reason}", path.display())
    }
}

/// Reads the log at `path`, gzipped or not.
///
/// # Errors
/// Only when the file cannot be read; bad lines are in [`Log::skipped`].
pub fn read_log(path: &Path) -> std::io::Result<Log> {
    Ok(LogLines::read(path)?.into())
}

/// Reads a log from memory; `path` is the name that messages give it.
pub fn parse_log(path: &Path, bytes: &[u8]) -> Log {
    LogLines::parse(path, bytes).into()
}

impl From<LogLines> for Log {
    fn from(lines: LogLines) -> Self {
        let mut log = Self::default();
        for line in lines.lines {
            match line.content {
                LineContent::Record(record) => log.records.push((line.number, *record)),
                LineContent::Comment => {}
                LineContent::Skipped(reason) => log.skipped.push(SkippedLine {
                    path: lines.path.clone(),
                    line: line.number,
                    reason,
                }),
            }
        }
        log
    }
}
