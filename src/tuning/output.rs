//! Where a run writes: the log, in the order of asking, and the journal, as things happen.

use std::path::Path;

use crate::record::{AppendError, AppendFile, Mended, Record};

use super::journal::{Event, Journal};

/// Lines after which the disk is waited for.
const SYNC_EVERY: usize = 16;

/// A log and its journal.
#[derive(Debug)]
pub struct Output {
    log: AppendFile,
    journal: Journal,
    unsynced: usize,
}

impl Output {
    /// Opens a log and its journal and makes them when they aren't there. Also returns what had to be mended in the
    /// log.
    ///
    /// # Errors
    /// When one cannot be written, or another run has it open.
    pub fn open(log: &Path) -> Result<(Self, Option<Mended>), AppendError> {
        let (file, mended) = AppendFile::open(log)?;
        let (journal, _) = Journal::open(log)?;
        let output = Self {
            log: file,
            journal,
            unsynced: 0,
        };
        Ok((output, mended))
    }

    /// Appends a record to the log.
    ///
    /// # Errors
    /// When the system refuses the write, or the log was removed.
    pub fn record(&mut self, record: &Record) -> Result<(), AppendError> {
        self.log.append(&record.to_line())?;
        self.unsynced += 1;
        if self.unsynced >= SYNC_EVERY {
            self.sync()?;
        }
        Ok(())
    }

    /// Appends a comment to the log: a line that starts with `#`, which readers pass over.
    ///
    /// # Errors
    /// When the system refuses the write, or the log was removed.
    pub fn comment(&mut self, line: &str) -> Result<(), AppendError> {
        self.log.append(line)
    }

    /// Writes an event into the journal.
    ///
    /// # Errors
    /// When the system refuses the write.
    pub fn event(&mut self, event: &Event) -> Result<(), AppendError> {
        self.journal.write(event)
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// When the system cannot say so, or a file was removed.
    pub fn sync(&mut self) -> Result<(), AppendError> {
        self.unsynced = 0;
        self.journal.sync()?;
        self.log.sync()
    }
}
