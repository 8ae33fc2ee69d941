//! A log written as a whole, over no log that it was made from and over none that somebody writes to.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::compressed::packed_for;

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It is one of the files that were read.
    #[error("{path} is one of the inputs", path = path.display())]
    IsInput {
        /// The file.
        path: PathBuf,
    },
    /// A run writes to it.
    #[error("a run writes to {path}", path = path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot write {path}: {source}", path = path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes a file that is made from `inputs`: all of it or, when something fails, nothing. A name that ends in `.gz`
/// gets a gzip file.
///
/// # Errors
/// When it is one of the inputs, a run writes to it, or the system refuses.
pub fn write_from(inputs: &[PathBuf], path: &Path, bytes: Vec<u8>) -> Result<(), WriteError> {
    let failed = |source| WriteError::System {
        path: path.to_owned(),
        source,
    };
    if let Ok(there) = std::fs::metadata(path) {
        let same = |input: &PathBuf| {
            std::fs::metadata(input)
                .is_ok_and(|input| (input.dev(), input.ino()) == (there.dev(), there.ino()))
        };
        if inputs.iter().any(same) {
            return Err(WriteError::IsInput {
                path: path.to_owned(),
            });
        }
        if !there.is_file() {
            // A pipe or /dev/stdout: it cannot be replaced, only written to.
            let bytes = packed_for(path, bytes).map_err(failed)?;
            let mut file = std::fs::File::options()
                .write(true)
                .open(path)
                .map_err(failed)?;
            return file.write_all(&bytes).map_err(failed);
        }
        let file = std::fs::File::open(path).map_err(failed)?;
        if matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
            return Err(WriteError::Locked {
                path: path.to_owned(),
            });
        }
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let bytes = packed_for(path, bytes).map_err(failed)?;
    let mut file = tempfile::Builder::new()
        .prefix(".arco-tvm-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.as_file().sync_data().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
