//! The C++ part: embedded at build time for one TVM, or compiled for the one that is there.

use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;
use tvm_rt::{ExtDev, OpaqueHandle};

use crate::shim::{ShimError, Unit, headers_of, plan};

/// Compiled by build.rs; empty if it had no headers.
const EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ext_dev.so"));
/// The key of those headers; empty if there were none.
const EMBEDDED_KEY: &str = env!("ARCO_EXT_DEV_KEY");

/// Opens the shim that fits a TVM.
///
/// # Errors
/// [`ShimError`] if there is none and none can be made, or it does not load.
pub(super) fn open(functions: &ExtDev, libtvm: &Path) -> Result<OpaqueHandle, ShimError> {
    let Some(headers) = headers_of(libtvm)? else {
        // The version is 0.19: whatever was built for it, fits.
        if EMBEDDED.is_empty() {
            let libtvm = libtvm.to_owned();
            return Err(ShimError::NoHeaders { libtvm });
        }
        return open_embedded(functions);
    };
    let key = headers
        .key(plan::EXT_DEV, &[])
        .map_err(ShimError::io("TVM's headers cannot be read"))?;
    let key = format!("{key:016x}");
    if key == EMBEDDED_KEY {
        return open_embedded(functions);
    }
    let unit = Unit {
        name: "ext_dev",
        what: "TVM's C++ device",
        source: plan::EXT_DEV,
        headers: &[],
        arguments: Vec::new(),
    };
    Ok(functions.open(unit.library(&headers, &key)?.path())?)
}

/// The file is gone when it is loaded.
fn open_embedded(functions: &ExtDev) -> Result<OpaqueHandle, ShimError> {
    let write = || -> io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new()
            .prefix("arco-")
            .suffix(".so")
            .tempfile()?;
        file.write_all(EMBEDDED)?;
        Ok(file)
    };
    let file = write().map_err(ShimError::io(
        "cannot write TVM's C++ device to the temporary folder",
    ))?;
    Ok(functions.open(file.path())?)
}
