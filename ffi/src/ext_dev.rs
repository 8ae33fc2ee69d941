//! TVM's device `ext_dev`, whose C++ classes are in ffi/shim.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;

use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};

use crate::error::{Error, Result};
use crate::value::OpaqueHandle;

/// The functions behind the device; ffi/shim/ext_dev.cc has the same.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ExtDev {
    /// A buffer of so many bytes, or NULL: then an error waits.
    pub alloc: extern "C" fn(usize) -> *mut c_void,
    /// Frees a buffer.
    pub free: extern "C" fn(*mut c_void),
    /// Copies `from, offset, to, offset, bytes, kind`; bit 1 of `kind` says that `from` is a device buffer, bit 0 that
    /// `to` is one.
    pub copy: unsafe extern "C" fn(*const c_void, usize, *mut c_void, usize, usize, c_int),
    /// Takes the error that waits: its text, and its length; 0 if there is none.
    pub take_error: unsafe extern "C" fn(*mut c_char, usize) -> usize,
    /// Cycles since the process began; negative if no time is kept.
    pub total_cycles: extern "C" fn() -> i64,
    /// The clock.
    pub clock_mhz: extern "C" fn() -> u32,
    /// The geometry's name, and its length.
    pub geometry: unsafe extern "C" fn(*mut c_char, usize) -> usize,
    /// Reads a kernel that needs no machine code from the file of this name, or NULL: then an error waits.
    pub open_kernel: unsafe extern "C" fn(*const c_char) -> *mut c_void,
    /// Runs it on so many device buffers; 0 on success, else an error waits.
    pub run_kernel: unsafe extern "C" fn(*mut c_void, *const *mut c_void, usize) -> c_int,
    /// Frees it.
    pub close_kernel: unsafe extern "C" fn(*mut c_void),
}

type Open = unsafe extern "C" fn(*const ExtDev, *mut c_char, usize) -> *mut c_void;

impl ExtDev {
    /// Loads the shim, which registers the timer, and returns the device as `device_api.ext_dev` must. The shim stays
    /// loaded: TVM keeps pointers into it.
    ///
    /// # Errors
    ///
    /// The file does not load into this process or is no shim, or TVM refuses the timer.
    pub fn open(&self, shim: &Path) -> Result<OpaqueHandle> {
        let unloadable = |error: libloading::Error| Error::Unloadable {
            path: shim.to_owned(),
            reason: crate::tvm::chain(&error),
        };
        // SAFETY: the shim has no initialisers of its own but those of C++'s standard library.
        let library =
            unsafe { Library::open(Some(shim), RTLD_LAZY | RTLD_LOCAL) }.map_err(unloadable)?;
        // SAFETY: the type is that of the function in ffi/shim/ext_dev.cc.
        let open = *unsafe { library.get::<Open>(b"arco_ext_dev_open\0") }.map_err(unloadable)?;
        std::mem::forget(library);
        let mut why = [0u8; 1024];
        // SAFETY: the shim copies the functions, and writes at most so many bytes, the last a NUL.
        let device = unsafe { open(self, why.as_mut_ptr().cast(), why.len()) };
        if device.is_null() {
            let why = CStr::from_bytes_until_nul(&why).unwrap_or_default();
            return Err(Error::raise("RuntimeError", why.to_string_lossy()));
        }
        Ok(OpaqueHandle(device))
    }
}

/// `TVMAPISetLastError` of the TVM in use, for C code that reports errors through a function pointer; does nothing while
/// there is none.
///
/// # Safety
///
/// `text` is a NUL-terminated string.
pub unsafe extern "C" fn set_last_error(text: *const c_char) {
    if let Ok(api) = crate::tvm::api() {
        // SAFETY: the caller vouches for the string, which TVM copies.
        unsafe { api.TVMAPISetLastError(text) };
    }
}
