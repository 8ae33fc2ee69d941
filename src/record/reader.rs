//! Reads AutoTVM logs, and survives what TVM's own reader dies of: blank, truncated and foreign lines.

use std::fmt;
use std::path::{Path, PathBuf};

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

impl fmt::Display for SkippedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: ", self.path.display(), self.line)?;
        match &self.reason {
            SkipReason::Blank => f.write_str("blank line skipped"),
            SkipReason::Truncated => f.write_str("truncated last line skipped"),
            SkipReason::Foreign(error) => write!(f, "line skipped ({error})"),
            SkipReason::NotText => f.write_str("line skipped (no UTF-8 text)"),
        }
    }
}

/// Reads the log at `path`.
///
/// # Errors
/// Only when the file cannot be read; bad lines are in [`Log::skipped`].
pub fn read_log(path: &Path) -> std::io::Result<Log> {
    Ok(parse_log(path, &std::fs::read(path)?))
}

/// Reads a log from memory; `path` is the name that messages give it.
pub fn parse_log(path: &Path, bytes: &[u8]) -> Log {
    let mut log = Log::default();
    let mut lines: Vec<&[u8]> = bytes.split(|&b| b == b'\n').collect();
    // What follows the last line break is a line only if it isn't empty.
    let unterminated = lines.pop().filter(|last| !last.is_empty());
    let complete = lines.len();
    for (position, line) in lines.into_iter().chain(unterminated).enumerate() {
        let number = position + 1;
        match parse_line(line) {
            Ok(Some(record)) => log.records.push((number, record)),
            Ok(None) => {}
            Err(reason) => log.skipped.push(SkippedLine {
                path: path.to_owned(),
                line: number,
                reason: if position >= complete {
                    SkipReason::Truncated
                } else {
                    reason
                },
            }),
        }
    }
    log
}

/// `None` for a comment: lines that start with `#` are AutoTVM's comments.
fn parse_line(line: &[u8]) -> Result<Option<Record>, SkipReason> {
    let line = std::str::from_utf8(line).map_err(|_| SkipReason::NotText)?;
    if line.trim().is_empty() {
        return Err(SkipReason::Blank);
    }
    if line.starts_with('#') {
        return Ok(None);
    }
    Record::from_line(line)
        .map(Some)
        .map_err(SkipReason::Foreign)
}
