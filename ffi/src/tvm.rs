//! The one TVM of a process: found at run time, checked, and never unloaded.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt;
use std::fs;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY};

use crate::bindings::{TVMValue, TvmApi, kTVMNullptr, kTVMStr};
use crate::error::{Error, Result, check};

static TVM: OnceLock<Tvm> = OnceLock::new();

/// TVM, loaded into this process.
///
/// There is at most one: its registries of functions, types and RPC sessions are global, so a second copy would not
/// know the handles of the first.
pub struct Tvm {
    api: TvmApi,
    path: PathBuf,
    version: String,
}

impl Tvm {
    /// Loads the libtvm.so at `path`, its symbols visible to the libraries that it loads in turn.
    ///
    /// Loading the same file again is free, and so is naming the one that the process (Python, say) has loaded.
    ///
    /// # Errors
    ///
    /// The file is missing, is no shared library, is not TVM, is not TVM 0.19, or this process has another TVM.
    pub fn load(path: &Path) -> Result<&'static Self> {
        let asked = fs::canonicalize(path).map_err(|reason| Error::NoLibrary {
            path: path.to_owned(),
            reason,
        })?;
        Self::once(|| {
            if let Some(present) = path_in_process() {
                if !same_file(&present, &asked) {
                    return Err(Error::AlreadyLoaded {
                        asked: asked.clone(),
                        loaded: present,
                    });
                }
                return Self::check(Library::this(), present);
            }
            // SAFETY: libtvm's initialisers only fill its own registries; it is never unloaded (see `check`).
            let library = unsafe { Library::open(Some(&asked), RTLD_LAZY | RTLD_GLOBAL) }.map_err(
                |error| Error::Unloadable {
                    path: asked.clone(),
                    reason: chain(&error),
                },
            )?;
            Self::check(library, asked.clone())
        })
        .and_then(|tvm| {
            if same_file(&tvm.path, &asked) {
                Ok(tvm)
            } else {
                Err(Error::AlreadyLoaded {
                    asked: asked.clone(),
                    loaded: tvm.path.clone(),
                })
            }
        })
    }

    /// Adopts the TVM that this process has already loaded with global symbols, as `import tvm` does.
    ///
    /// # Errors
    ///
    /// There is none, or it is not TVM 0.19.
    pub fn in_process() -> Result<&'static Self> {
        Self::once(|| match path_in_process() {
            Some(path) => Self::check(Library::this(), path),
            None => Err(Error::NotInProcess),
        })
    }

    /// The TVM that was loaded or adopted.
    ///
    /// # Errors
    ///
    /// Neither [`Tvm::load`] nor [`Tvm::in_process`] has succeeded yet.
    pub fn get() -> Result<&'static Self> {
        TVM.get().ok_or(Error::NotLoaded)
    }

    /// The library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version that the library tells, such as `0.19.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn once(find: impl FnOnce() -> Result<Self>) -> Result<&'static Self> {
        static LOADING: Mutex<()> = Mutex::new(());
        // The lock guards no data, so a panic in another thread leaves nothing half done.
        let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
        match TVM.get() {
            Some(tvm) => Ok(tvm),
            None => {
                let tvm = find()?;
                Ok(TVM.get_or_init(|| tvm))
            }
        }
    }

    fn check(library: Library, path: PathBuf) -> Result<Self> {
        // SAFETY: the generated loader only looks symbols up; their signatures are those of TVM 0.19, which the
        // version check below confirms before any but the few functions that it needs is called.
        let api = unsafe { TvmApi::from_library(library) }.map_err(|error| Error::NotTvm {
            path: path.clone(),
            reason: chain(&error),
        })?;
        match version(&api) {
            Ok(version) if is_supported(&version) => Ok(Self { api, path, version }),
            refused => {
                // A TVM has registered destructors and threads: unloading it would crash the process at its end.
                mem::forget(api);
                let found = match refused {
                    Ok(version) => version,
                    Err(error) => format!("of a version that it does not tell ({error})"),
                };
                Err(Error::Version { path, found })
            }
        }
    }
}

impl fmt::Debug for Tvm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tvm")
            .field("path", &self.path)
            .field("version", &self.version)
            .finish()
    }
}

/// The C API of the loaded TVM.
pub(crate) fn api() -> Result<&'static TvmApi> {
    Tvm::get().map(|tvm| &tvm.api)
}

fn is_supported(version: &str) -> bool {
    version == "0.19" || version.starts_with("0.19.")
}

/// Asks a library for its version.
///
/// The C API has no function for it, but each graph that `node.SaveJSON` writes begins with
/// `"attrs": {"tvm_version": "0.19.0"}`; the graph of a null object is enough. A libtvm_runtime.so has no such
/// function and is refused.
fn version(api: &TvmApi) -> Result<String> {
    let mut function = std::ptr::null_mut();
    // SAFETY: the name is NUL-terminated and `function` is a place for a handle.
    check(api, unsafe {
        api.TVMFuncGetGlobal(c"node.SaveJSON".as_ptr(), &mut function)
    })?;
    if function.is_null() {
        return Err(Error::NoSuchFunction {
            name: "node.SaveJSON".to_owned(),
        });
    }
    let mut arguments = [TVMValue {
        v_handle: std::ptr::null_mut(),
    }];
    let mut codes = [kTVMNullptr.cast_signed()];
    let mut value = TVMValue { v_int64: 0 };
    let mut code: c_int = 0;
    // SAFETY: one argument with its code, and places for the result; the handle is alive until it is freed below.
    let called = check(api, unsafe {
        api.TVMFuncCall(
            function,
            arguments.as_mut_ptr(),
            codes.as_mut_ptr(),
            1,
            &mut value,
            &mut code,
        )
    });
    let json = called.map(|()| {
        (code == kTVMStr.cast_signed()).then(|| {
            // SAFETY: a string value points to a NUL-terminated string of this thread's own, copied here.
            unsafe { CStr::from_ptr(value.v_str) }
                .to_string_lossy()
                .into_owned()
        })
    });
    // SAFETY: the handle came from TVMFuncGetGlobal, which counts a reference for its caller.
    unsafe { api.TVMFuncFree(function) };
    json?
        .as_deref()
        .and_then(version_in)
        .ok_or_else(|| Error::raise("ValueError", "node.SaveJSON names no tvm_version"))
}

fn version_in(json: &str) -> Option<String> {
    let rest = json
        .split_once("\"tvm_version\"")?
        .1
        .trim_start()
        .strip_prefix(':')?;
    Some(
        rest.trim_start()
            .strip_prefix('"')?
            .split_once('"')?
            .0
            .to_owned(),
    )
}

/// The file of the TVM whose symbols are global in this process.
fn path_in_process() -> Option<PathBuf> {
    // SAFETY: the symbol's address is looked at, never called.
    let address = unsafe { Library::this().get::<*const c_void>(b"TVMFuncCall\0") }
        .ok()?
        .as_raw_ptr();
    let mut info = mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr only writes to `info`, and says with 0 if it has nothing to write.
    if unsafe { libc::dladdr(address, info.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: dladdr succeeded, and zeroed bytes are a valid Dl_info in any case.
    let name: *const c_char = unsafe { info.assume_init() }.dli_fname;
    if name.is_null() {
        return None;
    }
    // SAFETY: a NUL-terminated path that the dynamic loader keeps while the library is loaded.
    let name = unsafe { CStr::from_ptr(name) };
    let path = PathBuf::from(std::ffi::OsStr::new(name.to_str().ok()?));
    Some(fs::canonicalize(&path).unwrap_or(path))
}

fn same_file(left: &Path, right: &Path) -> bool {
    fs::canonicalize(left).is_ok_and(|left| left == right)
}

/// libloading keeps the dynamic loader's own words in the source of its errors.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_0_19_is_spoken() {
        for (version, supported) in [
            ("0.19.0", true),
            ("0.19.1", true),
            ("0.19.dev12", true),
            ("0.18.0", false),
            ("0.20.0", false),
            ("0.190.0", false),
        ] {
            assert_eq!(is_supported(version), supported, "{version}");
        }
    }

    #[test]
    fn the_version_is_found_among_a_graphs_attributes() {
        let json = "{\n  \"root\": 0, \n  \"attrs\": {\"tvm_version\": \"0.18.1\"}\n}";
        assert_eq!(version_in(json).as_deref(), Some("0.18.1"));
        assert_eq!(version_in("{\"root\": 0}"), None);
    }
}
