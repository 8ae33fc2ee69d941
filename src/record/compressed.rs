//! Files that may be gzipped: a log is packed five to ten times smaller, and people keep them so.

use std::io::{self, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// The first two bytes of every gzip file (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Whether these are the bytes of a gzip file.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP_MAGIC)
}

/// The bytes of a file, unpacked if it is a gzip file, whatever its name.
///
/// # Errors
/// When it cannot be read, or is a gzip file and damaged.
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = std::fs::read(path)?;
    if !is_gzip(&bytes) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes.as_slice())
        .read_to_end(&mut unpacked)
        .map_err(|error| {
            let text = format!("{}: damaged gzip file: {error}", path.display());
            io::Error::new(error.kind(), text)
        })?;
    Ok(unpacked)
}

/// The bytes as they stand in a file of this name: packed if it ends in `.gz`.
///
/// # Errors
/// Never in practice: a `Vec` takes every byte.
pub fn packed_for(path: &Path, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Ok(bytes);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes)?;
    encoder.finish()
}
