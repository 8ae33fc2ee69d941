//! A log as lines: each with its bytes, so that it can be copied as it is, and with what it says.

use std::io;
use std::path::{Path, PathBuf};

use super::compressed::read_bytes;
use super::measurement::Record;
use super::reader::SkipReason;

/// A log's lines.
#[derive(Debug, Default)]
pub struct LogLines {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Its lines, in file order.
    pub lines: Vec<LogLine>,
    /// Whether the last line has its line break. Without it, what is appended next is glued to that line.
    pub ends_in_line_break: bool,
}

/// One line.
#[derive(Debug)]
pub struct LogLine {
    /// Line number, from 1.
    pub number: usize,
    /// Its bytes, without the line break.
    pub bytes: Vec<u8>,
    /// What it says.
    pub content: LineContent,
}

/// What a line says.
#[derive(Debug)]
pub enum LineContent {
    /// A measurement.
    Record(Box<Record>),
    /// A comment: AutoTVM passes over lines that start with `#`.
    Comment,
    /// No record, and why.
    Skipped(SkipReason),
}

impl LogLine {
    /// The record, if it is one.
    pub fn record(&self) -> Option<&Record> {
        match &self.content {
            LineContent::Record(record) => Some(record),
            LineContent::Comment | LineContent::Skipped(_) => None,
        }
    }
}

impl LogLines {
    /// Reads the log at `path`, gzipped or not.
    ///
    /// # Errors
    /// Only when the file cannot be read; bad lines are [`LineContent::Skipped`].
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::parse(path, &read_bytes(path)?))
    }

    /// Reads a log from memory; `path` is the name that messages give it.
    pub fn parse(path: &Path, bytes: &[u8]) -> Self {
        let ends_in_line_break = bytes.last().is_none_or(|&last| last == b'\n');
        let mut lines: Vec<LogLine> = bytes
            .split(|&b| b == b'\n')
            .enumerate()
            .map(|(position, line)| LogLine {
                number: position + 1,
                bytes: line.to_vec(),
                content: content(line),
            })
            .collect();
        if ends_in_line_break {
            // What follows the last line break is no line.
            lines.pop();
        } else if let Some(last) = lines.last_mut()
            && matches!(last.content, LineContent::Skipped(_))
        {
            last.content = LineContent::Skipped(SkipReason::Truncated);
        }
        Self {
            path: path.to_owned(),
            lines,
            ends_in_line_break,
        }
    }

    /// The lines that are records.
    pub fn records(&self) -> impl Iterator<Item = (&LogLine, &Record)> {
        self.lines
            .iter()
            .filter_map(|line| Some((line, line.record()?)))
    }
}

fn content(line: &[u8]) -> LineContent {
    let Ok(text) = std::str::from_utf8(line) else {
        return LineContent::Skipped(SkipReason::NotText);
    };
    if text.trim().is_empty() {
        return LineContent::Skipped(SkipReason::Blank);
    }
    if text.starts_with('#') {
        return LineContent::Comment;
    }
    match Record::from_line(text) {
        Ok(record) => LineContent::Record(Box::new(record)),
        Err(error) => LineContent::Skipped(SkipReason::Foreign(error)),
    }
}
