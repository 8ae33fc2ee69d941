//! Appends records to an AutoTVM log, a whole line or nothing.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::measurement::Record;

/// Why a log cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It cannot be opened.
    #[error("cannot write the log {path}: {source}", path = path.display())]
    Open {
        /// The log.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another run writes to it.
    #[error("another run writes to the log {path}", path = path.display())]
    Locked {
        /// The log.
        path: PathBuf,
    },
    /// A line could not be written.
    #[error("cannot append to the log {path}: {source}", path = path.display())]
    Append {
        /// The log.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An open AutoTVM log.
///
/// It is locked against other runs, and every record goes out in one `O_APPEND` write, so a killed run
/// never leaves half a line. A log that was made here and got no record goes away with the writer.
#[derive(Debug)]
pub struct LogWriter {
    path: PathBuf,
    file: File,
    made_here: bool,
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        if self.made_here && self.file.metadata().is_ok_and(|file| file.len() == 0) {
            // Nothing is lost if it stays.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What opening a log found and mended.
#[derive(Debug, PartialEq, Eq)]
pub enum Mended {
    /// The log ended in half a line, which now stands in this file: TVM's readers die of it.
    MovedFragment {
        /// Where the fragment is.
        to: PathBuf,
    },
    /// The last record lacked only its line break.
    AddedLineBreak,
}

impl LogWriter {
    /// Opens the log for appending and makes it when it isn't there.
    ///
    /// When the last line has no end (a killed writer), a whole record gets its line break; a fragment is
    /// moved to `<log>.fragment`.
    ///
    /// # Errors
    /// When the file cannot be written, or another run has it open.
    pub fn open(path: &Path) -> Result<(Self, Option<Mended>), LogError> {
        let failed = |source| LogError::Open {
            path: path.to_owned(),
            source,
        };
        let options = File::options().read(true).append(true).clone();
        let (mut file, made_here) = match options.clone().create_new(true).open(path) {
            Ok(file) => (file, true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (options.open(path).map_err(failed)?, false)
            }
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LogError::Locked {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mended = mend_tail(path, &mut file).map_err(failed)?;
        let writer = Self {
            path: path.to_owned(),
            file,
            made_here,
        };
        Ok((writer, mended))
    }

    /// Appends one record.
    ///
    /// # Errors
    /// When the system refuses the write (a full disk, say). Half a line that got out is taken back.
    pub fn append(&mut self, record: &Record) -> Result<(), LogError> {
        let line = record.to_line() + "\n";
        self.append_line(line.as_bytes())
            .map_err(|source| LogError::Append {
                path: self.path.clone(),
                source,
            })
    }

    fn append_line(&mut self, line: &[u8]) -> io::Result<()> {
        let before = self.file.metadata()?.len();
        let written = self.file.write(line)?;
        if written == line.len() {
            return Ok(());
        }
        self.file.set_len(before)?;
        Err(io::Error::new(
            io::ErrorKind::StorageFull,
            "no space left for a whole line",
        ))
    }

    /// Waits until everything appended is on the disk.
    ///
    /// # Errors
    /// When the system cannot say so.
    pub fn sync(&self) -> Result<(), LogError> {
        self.file.sync_data().map_err(|source| LogError::Append {
            path: self.path.clone(),
            source,
        })
    }
}

fn mend_tail(path: &Path, file: &mut File) -> io::Result<Option<Mended>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let start = bytes
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |end| end + 1);
    let tail = &bytes[start..];
    if tail.is_empty() {
        return Ok(None);
    }
    let whole = std::str::from_utf8(tail).is_ok_and(|tail| {
        tail.starts_with('#') || serde_json::from_str::<serde_json::Value>(tail).is_ok()
    });
    if whole {
        file.write_all(b"\n")?;
        return Ok(Some(Mended::AddedLineBreak));
    }
    let mut to = path.as_os_str().to_owned();
    to.push(".fragment");
    let to = PathBuf::from(to);
    let mut fragment = File::options().append(true).create(true).open(&to)?;
    fragment.write_all(tail)?;
    fragment.write_all(b"\n")?;
    fragment.sync_data()?;
    file.set_len(start as u64)?;
    Ok(Some(Mended::MovedFragment { to }))
}
