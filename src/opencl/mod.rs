//! TVM's OpenCL runtime for a TVM that was built without it.
//!
//! TVM's wheel generates code for OpenCL and cannot run it. The sources of what is missing are in the wheel: they are
//! compiled to a shared library when OpenCL is first needed ([`crate::shim`]), and whoever loads that library into a
//! process has the device. A TVM that was built with OpenCL needs none of it.
//!
//! What it is not: an OpenCL implementation. That is the loader (`libOpenCL.so.1`) and the drivers that it finds.

use std::path::{Path, PathBuf};

use tvm_rt::{Args, Error, Function, Result, RetValue, Tvm, register_global};

use crate::shim::{ShimError, Unit, headers_of};

/// What finds the drivers.
const LOADER: &str = "libOpenCL.so.1";
/// Our part of the library: it includes TVM's files.
const SOURCE: &str = include_str!("../../ffi/shim/opencl.cc");
/// A header that TVM's wheel lacks; TVM's own comes first where it is there.
const SPAN: (&str, &str) = ("tvm/support/span.h", include_str!("../../ffi/shim/span.h"));
/// TVM's files.
const FILES: [&str; 6] = [
    "src/runtime/opencl/opencl_common.h",
    "src/runtime/opencl/opencl_device_api.cc",
    "src/runtime/opencl/opencl_module.cc",
    "src/runtime/opencl/opencl_module.h",
    "src/runtime/opencl/opencl_module_spirv.cc",
    "src/runtime/opencl/texture_pool.cc",
];

/// Whether the TVM of this process was built with OpenCL, or has loaded what is made here.
pub(crate) fn is_built_in() -> bool {
    Function::get("device_api.opencl").is_ok()
}

/// The library for a TVM; `compiling` is called before it has to be compiled, which takes some ten seconds.
///
/// # Errors
/// [`ShimError`] if there is no OpenCL loader, no compiler, or TVM's sources are not there.
pub(crate) fn library(libtvm: &Path, compiling: impl FnOnce()) -> Result<PathBuf, ShimError> {
    if !tvm_rt::can_open(LOADER) {
        return Err(ShimError::NoLoader { library: LOADER });
    }
    let headers = headers_of(libtvm)?.ok_or_else(|| ShimError::NoHeaders {
        libtvm: libtvm.to_owned(),
    })?;
    let root = headers.root();
    let what = "TVM's OpenCL runtime";
    if let Some(file) = FILES.into_iter().find(|file| !root.join(file).is_file()) {
        let root = root.to_owned();
        return Err(ShimError::NoSources { what, file, root });
    }
    let key = headers
        .key(&[SOURCE, SPAN.1].concat(), &FILES)
        .map_err(ShimError::io("TVM's sources cannot be read"))?;
    let key = format!("{key:016x}");
    let unit = Unit {
        name: "opencl",
        what,
        source: SOURCE,
        headers: &[SPAN],
        arguments: vec![
            format!("-I{}", root.display()),
            format!("-I{}/3rdparty/OpenCL-Headers", root.display()),
            // By its full name: the link without the number is in a package for developers.
            format!("-l:{LOADER}"),
        ],
    };
    if !unit.is_cached(&key) {
        compiling();
    }
    unit.library(&headers, &key)?.keep()
}

/// Puts `arco.opencl.library() -> path` into this process's TVM: the library for it.
///
/// # Errors
/// When TVM refuses the function.
pub(crate) fn register() -> Result<()> {
    register_global("arco.opencl.library", &Function::from_fn(packed)?, true)
}

fn packed(_: &Args<'_>) -> Result<RetValue> {
    let tvm = Tvm::get()?;
    let path = library(tvm.path(), || {}).map_err(|error| {
        let hint = error.hint();
        let text = match hint {
            "" => error.to_string(),
            hint => format!("{error}; {hint}"),
        };
        Error::raise("RuntimeError", text)
    })?;
    Ok(RetValue::from(path.display().to_string()))
}
