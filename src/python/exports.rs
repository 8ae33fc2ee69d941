//! The C functions that Python's ctypes calls.
#![allow(unsafe_code, reason = "exported C functions")]

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};
use std::panic::catch_unwind;

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

fn register() -> tvm_rt::Result<()> {
    tvm_rt::Tvm::in_process()?;
    super::tuner_functions::register()?;
    super::gpu_functions::register()?;
    crate::opencl::register()?;
    crate::ext_dev::register()
}

/// Registers when the library is loaded, for those who only load it (`rpc_server --load-library`): a no-op where there is
/// no TVM yet, or none at all (the command line). Nothing that takes long may happen here: the loader's lock is held.
extern "C" fn at_load() {
    // Nobody to tell: `arco_register` says what is wrong, and so does the TVM that misses the functions.
    drop(catch_unwind(register));
}

#[used]
// SAFETY: the dynamic loader calls what is in this section, once, after the libraries that this one needs.
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = at_load;

/// Adopts the TVM of this process and registers `arco.tuner.*`, `arco.vta.*` and the device `ext_dev` in it. 0 on success; else [`arco_last_error`] tells.
// SAFETY: the name begins with `arco_`, which no other library of the process defines.
#[unsafe(no_mangle)]
pub extern "C" fn arco_register() -> c_int {
    let text = match catch_unwind(register) {
        Ok(Ok(())) => return 0,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "arco_register panicked".to_owned(),
    };
    let text = CString::new(text.replace('\0', "\\0")).unwrap_or_default();
    LAST_ERROR.with(|last| last.replace(text));
    -1
}

/// Why the last call of this thread failed: a NUL-terminated string that is valid until the next failure.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn arco_last_error() -> *const c_char {
    LAST_ERROR.with(|last| last.borrow().as_ptr())
}
