//! Writing what a command makes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;

/// Writes a file, gzipped if its name ends in `.gz`.
///
/// # Errors
/// If it cannot be written; what is there then is incomplete.
pub fn write(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), CliError> {
    let write = || -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut gzip = GzEncoder::new(file, Compression::default());
            content(&mut gzip)?;
            file = gzip.finish()?;
        } else {
            content(&mut file)?;
        }
        file.flush()
    };
    write().map_err(|error| {
        CliError::new(
            ExitCode::Failure,
            format!("cannot write {}: {error}", path.display()),
            "name a file that you may write with -o",
        )
    })
}
