//! Opening a file of any form.

use super::{Program, ProgramError, memory_json, text, timing_json};
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// Most bytes a program may unpack to: 1 GiB.
pub const MAX_BYTES: u64 = 1 << 30;

/// Reads a program file: JSON of either form or text, plain or gzipped.
///
/// # Errors
/// [`ProgramError`] says what is wrong and where; no content makes it panic.
pub fn load(path: impl AsRef<Path>) -> Result<Program, ProgramError> {
    let path = path.as_ref();
    let io = |source| ProgramError::Io {
        path: path.display().to_string(),
        source,
    };
    let file = std::fs::File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    let mut program = read(&bytes)?;
    if program.name.is_empty() {
        let stem = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        program.name = stem.unwrap_or_default();
    }
    Ok(program)
}

/// The same for the bytes of a file.
///
/// # Errors
/// As [`load`].
pub fn read(bytes: &[u8]) -> Result<Program, ProgramError> {
    let unpacked;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        unpacked = unzip(bytes)?;
        &unpacked[..]
    } else {
        bytes
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ProgramError::TooBig { limit: MAX_BYTES });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| ProgramError::Utf8(e.valid_up_to()))?;
    if !text.trim_start().starts_with('{') {
        return text::parse(text);
    }
    let value: Value = serde_json::from_str(text)?;
    if value.get("runs").is_some() {
        memory_json::read(value)
    } else if value.get("insns").is_some() {
        timing_json::read(value)
    } else {
        Err(ProgramError::UnknownJson)
    }
}

fn unzip(bytes: &[u8]) -> Result<Vec<u8>, ProgramError> {
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .take(MAX_BYTES + 1)
        .read_to_end(&mut out)
        .map_err(ProgramError::Gzip)?;
    if out.len() as u64 > MAX_BYTES {
        return Err(ProgramError::TooBig { limit: MAX_BYTES });
    }
    Ok(out)
}

/// Bytes of a hex string.
pub(super) fn hex(text: &str, place: impl Fn() -> String) -> Result<Vec<u8>, ProgramError> {
    let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
    let bad = |reason: String| ProgramError::Hex {
        place: place(),
        reason,
    };
    if !text.len().is_multiple_of(2) {
        return Err(bad(format!(
            "{} hex digits are no whole number of bytes",
            text.len()
        )));
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match (digit(pair[0]), digit(pair[1])) {
            (Some(high), Some(low)) => Ok(high << 4 | low),
            _ => Err(bad(format!(
                "`{}` is not a hex byte",
                String::from_utf8_lossy(pair)
            ))),
        })
        .collect()
}

/// Checks that a row stays within the 64-bit address space.
pub(super) fn check_range(
    addr: u64,
    bytes: usize,
    place: impl Fn() -> String,
) -> Result<(), ProgramError> {
    match addr.checked_add(bytes as u64) {
        Some(_) => Ok(()),
        None => Err(ProgramError::Address {
            place: place(),
            addr,
            bytes,
        }),
    }
}
