//! A file of lines that is only ever appended to, a whole line or nothing, by one run at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::compressed::is_gzip;

/// Why a log or journal cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It cannot be opened.
    #[error("cannot write {path}: {source}", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another run writes to it.
    #[error("another run writes to {path}", path = path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// A line could not be written.
    #[error("cannot append to {path}: {source}", path = path.display())]
    Append {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody removed or replaced the file while it was open.
    #[error("{path} was removed or replaced while this run wrote to it", path = path.display())]
    Removed {
        /// The file.
        path: PathBuf,
    },
}

/// An open file of lines.
///
/// It is locked against other runs, and every line goes out in one `O_APPEND` write, so a killed run never leaves half
/// a line. A file that was made here and got no line goes away again.
#[derive(Debug)]
pub struct AppendFile {
    path: PathBuf,
    file: File,
    made_here: bool,
}

impl Drop for AppendFile {
    fn drop(&mut self) {
        if self.made_here && self.file.metadata().is_ok_and(|file| file.len() == 0) {
            // Nothing is lost if it stays.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What opening a file found and mended.
#[derive(Debug, PartialEq, Eq)]
pub enum Mended {
    /// The file ended in half a line, which now stands in this file: TVM's readers die of it.
    MovedFragment {
        /// Where the fragment is.
        to: PathBuf,
    },
    /// The last line lacked only its line break.
    AddedLineBreak,
}

impl AppendFile {
    /// Opens the file for appending and makes it when it isn't there.
    ///
    /// When the last line has no end (a killed writer), a whole JSON value gets its line break; a fragment is moved to
    /// `<file>.fragment`.
    ///
    /// # Errors
    /// When the file cannot be written, or another run has it open.
    pub fn open(path: &Path) -> Result<(Self, Option<Mended>), AppendError> {
        let failed = |source| AppendError::Open {
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
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is no ordinary file")));
        }
        if is_compressed(&mut file).map_err(failed)? {
            return Err(failed(io::Error::other(
                "it is gzipped, and nothing can be appended to it; gunzip it first",
            )));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(AppendError::Locked {
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one line; the line break is added.
    ///
    /// # Errors
    /// When the system refuses the write (a full disk, say). Half a line that got out is taken back.
    pub fn append(&mut self, line: &str) -> Result<(), AppendError> {
        let line = format!("{line}\n");
        self.write_whole(line.as_bytes())
            .map_err(|source| self.append_error(source))
    }

    fn write_whole(&mut self, line: &[u8]) -> io::Result<()> {
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

    /// Waits until everything appended is on the disk, and looks whether the file is still where it was.
    ///
    /// # Errors
    /// When the system cannot say so, or the file was removed or replaced.
    pub fn sync(&self) -> Result<(), AppendError> {
        self.file
            .sync_data()
            .map_err(|source| self.append_error(source))?;
        let ours = self
            .file
            .metadata()
            .map_err(|source| self.append_error(source))?;
        match std::fs::metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => Ok(()),
            _ => Err(AppendError::Removed {
                path: self.path.clone(),
            }),
        }
    }

    fn append_error(&self, source: io::Error) -> AppendError {
        AppendError::Append {
            path: self.path.clone(),
            source,
        }
    }
}

fn is_compressed(file: &mut File) -> io::Result<bool> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    Read::take(&*file, 2).read_to_end(&mut head)?;
    Ok(is_gzip(&head))
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
