//! The C++ part: embedded at build time for one TVM, or compiled for the one that is there.
//!
//! It fits a TVM if its key does: a hash of the source and of TVM's headers. A compiled one is kept in the user's cache.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::NamedTempFile;
use tvm_rt::{ExtDev, OpaqueHandle};

#[path = "../../ffi/shim/plan.rs"]
mod plan;

use plan::Headers;

/// Compiled by build.rs; empty if it had no headers.
const EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ext_dev.so"));
/// The key of those headers; empty if there were none.
const EMBEDDED_KEY: &str = env!("ARCO_EXT_DEV_KEY");

/// Why there is no device.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShimError {
    #[error(
        "this libarco_tvm.so was built without a TVM, and the headers of {libtvm} are not beside it; set \
         ARCO_TVM_INCLUDE to the `include` folder of its sources"
    )]
    NoHeaders { libtvm: PathBuf },
    #[error(
        "ARCO_TVM_INCLUDE={include} does not name TVM's headers; it must have tvm/runtime, and ../3rdparty beside it"
    )]
    BadInclude { include: PathBuf },
    #[error(
        "this TVM's C++ device must be compiled, and none of {} is there; install g++, or set CXX",
        tried.join(", ")
    )]
    NoCompiler { tried: Vec<String> },
    #[error("{compiler} cannot compile TVM's C++ device: {text}")]
    Compile { compiler: String, text: String },
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error(transparent)]
    Load(#[from] tvm_rt::Error),
}

fn io_error(what: impl std::fmt::Display) -> impl FnOnce(io::Error) -> ShimError {
    move |source| ShimError::Io {
        what: what.to_string(),
        source,
    }
}

/// Opens the shim that fits a TVM.
///
/// # Errors
/// [`ShimError`] if there is none and none can be made, or it does not load.
pub(super) fn open(functions: &ExtDev, libtvm: &Path) -> Result<OpaqueHandle, ShimError> {
    let headers = match std::env::var_os("ARCO_TVM_INCLUDE").filter(|include| !include.is_empty()) {
        Some(include) => {
            let include = PathBuf::from(include);
            Some(Headers::of_include(&include).ok_or(ShimError::BadInclude { include })?)
        }
        None => headers_of(libtvm),
    };
    let Some(headers) = headers else {
        // The version is 0.19: whatever was built for it, fits.
        if EMBEDDED.is_empty() {
            let libtvm = libtvm.to_owned();
            return Err(ShimError::NoHeaders { libtvm });
        }
        return open_embedded(functions);
    };
    let key = headers
        .key()
        .map_err(io_error("TVM's headers cannot be read"))?;
    let key = format!("{key:016x}");
    if key == EMBEDDED_KEY {
        return open_embedded(functions);
    }
    let Some(folder) = cache() else {
        let file = compile(&headers, &std::env::temp_dir())?;
        return Ok(functions.open(file.path())?);
    };
    let cached = folder.join(format!("ext_dev-{key}.so"));
    if !cached.is_file() {
        // Another process may do the same: each writes a file of its own, and the last one stays.
        let file = compile(&headers, &folder)?;
        file.persist(&cached)
            .map_err(|error| error.error)
            .map_err(io_error(cached.display()))?;
    }
    Ok(functions.open(&cached)?)
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
    let file = write().map_err(io_error(
        "cannot write TVM's C++ device to the temporary folder",
    ))?;
    Ok(functions.open(file.path())?)
}

/// A wheel has its headers beside the library; a source tree has its libraries in `build` or `build/lib`.
fn headers_of(libtvm: &Path) -> Option<Headers> {
    libtvm
        .ancestors()
        .skip(1)
        .take(3)
        .find_map(Headers::in_root)
}

/// This user's folder for what can be made again; `None` if it cannot be made.
fn cache() -> Option<PathBuf> {
    let folder = match std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => {
            PathBuf::from(std::env::var_os("HOME").filter(|home| !home.is_empty())?).join(".cache")
        }
    };
    let folder = folder.join("arco-tvm");
    std::fs::create_dir_all(&folder).ok()?;
    // A folder that cannot be written to is no place, either.
    NamedTempFile::new_in(&folder).ok()?;
    Some(folder)
}

fn compile(headers: &Headers, folder: &Path) -> Result<NamedTempFile, ShimError> {
    let place = || folder.display().to_string();
    let source = tempfile::Builder::new()
        .prefix("ext_dev-")
        .suffix(".cc")
        .tempfile_in(folder);
    let mut source = source.map_err(io_error(place()))?;
    source
        .write_all(plan::SOURCE.as_bytes())
        .map_err(io_error(place()))?;
    let library = tempfile::Builder::new()
        .prefix("ext_dev-")
        .suffix(".so")
        .tempfile_in(folder);
    let library = library.map_err(io_error(place()))?;
    let compilers: Vec<OsString> = match std::env::var_os("CXX").filter(|cxx| !cxx.is_empty()) {
        Some(cxx) => vec![cxx],
        None => ["c++", "g++", "clang++"].map(OsString::from).into(),
    };
    for compiler in &compilers {
        let mut command = Command::new(compiler);
        command.args(plan::FLAGS).args(headers.arguments());
        command.arg("-o").arg(library.path()).arg(source.path());
        match command.output() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(compiler.display())(error)),
            Ok(output) if output.status.success() => return Ok(library),
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr);
                return Err(ShimError::Compile {
                    compiler: compiler.display().to_string(),
                    text: text.lines().take(20).collect::<Vec<_>>().join("\n"),
                });
            }
        }
    }
    let tried = compilers
        .iter()
        .map(|compiler| compiler.display().to_string())
        .collect();
    Err(ShimError::NoCompiler { tried })
}
