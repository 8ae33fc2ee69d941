//! Rust closures as packed functions, and exported C functions that report errors as TVM's own do.

use std::ffi::{c_int, c_void};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

use smallvec::SmallVec;

use crate::bindings::{TVMRetValueHandle, TVMValue};
use crate::error::{Error, Result, check, set_last, set_last_text};
use crate::function::Function;
use crate::pack::{INLINE, Packed};
use crate::tvm::api;
use crate::value::{ArgValue, RetValue};

/// The arguments of a call, valid while it lasts; a slice of [`ArgValue`].
pub struct Args<'a>(SmallVec<[ArgValue<'a>; INLINE]>);

impl<'a> Args<'a> {
    /// Reads the arguments that TVM passes to a packed C function.
    ///
    /// # Safety
    ///
    /// `values` and `codes` have `count` entries, each value is what its code says, and all live for `'a`.
    unsafe fn from_raw(values: *const TVMValue, codes: *const c_int, count: c_int) -> Result<Self> {
        let count = usize::try_from(count).unwrap_or(0);
        let args = (0..count).map(|index| {
            // SAFETY: `index` is below the count that the caller promises, and so is what the value is.
            unsafe { ArgValue::from_raw(values.add(index), *codes.add(index)) }
                .map_err(|error| error.at(index))
        });
        Ok(Self(args.collect::<Result<_>>()?))
    }

    /// The argument `index`, counted from 0, as a `T`.
    ///
    /// # Errors
    ///
    /// It is missing or of another type.
    pub fn get<T: TryFrom<ArgValue<'a>, Error = Error>>(&self, index: usize) -> Result<T> {
        let arg = self.0.get(index).ok_or(Error::MissingArgument {
            index,
            given: self.0.len(),
        })?;
        T::try_from(*arg).map_err(|error| error.at(index))
    }
}

impl<'a> Deref for Args<'a> {
    type Target = [ArgValue<'a>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

pub(crate) fn from_fn<F>(f: F) -> Result<Function>
where
    F: Fn(&Args<'_>) -> Result<RetValue> + Send + Sync + 'static,
{
    let api = api()?;
    let resource = Box::into_raw(Box::new(f)).cast::<c_void>();
    let mut handle = std::ptr::null_mut();
    // SAFETY: `call::<F>` and `free::<F>` take the resource for the boxed F that it is; F is Send and Sync because TVM
    // calls it from any thread, and 'static because TVM frees it whenever it likes. TVM owns the resource from here on,
    // also if it fails.
    check(api, unsafe {
        api.TVMFuncCreateFromCFunc(Some(call::<F>), resource, Some(free::<F>), &mut handle)
    })?;
    // SAFETY: a function whose reference TVM counted for us.
    unsafe { Function::from_owned(handle) }.ok_or(Error::NotLoaded)
}

unsafe extern "C" fn call<F>(
    values: *mut TVMValue,
    codes: *mut c_int,
    count: c_int,
    ret: TVMRetValueHandle,
    resource: *mut c_void,
) -> c_int
where
    F: Fn(&Args<'_>) -> Result<RetValue> + Send + Sync + 'static,
{
    c_entry(|| {
        // SAFETY: TVM passes the resource that `from_fn` made, and frees it after the last call only.
        let f = unsafe { &*resource.cast::<F>() };
        // SAFETY: TVM passes `count` values with their codes, alive during the call.
        let args = unsafe { Args::from_raw(values, codes, count) }?;
        let returned = f(&args)?;
        set_return(ret, &returned)
    })
}

unsafe extern "C" fn free<F>(resource: *mut c_void) {
    let freed = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: TVM calls this once, with the resource that `from_fn` made, after the last call.
        drop(unsafe { Box::from_raw(resource.cast::<F>()) });
    }));
    if let Err(panic) = freed {
        // There is nobody to tell, and a payload that panics when it is dropped would unwind into C++.
        std::mem::forget(panic);
    }
}

fn set_return(ret: TVMRetValueHandle, value: &RetValue) -> Result<()> {
    if let RetValue::Null = value {
        return Ok(());
    }
    let api = api()?;
    let mut packed = Packed::new(&[value.as_arg()])?;
    // SAFETY: `ret` is the place that TVM gave for this call's result; TVM copies the value or counts a reference.
    check(api, unsafe {
        api.TVMCFuncSetReturn(
            ret,
            packed.values.as_mut_ptr(),
            packed.codes.as_mut_ptr(),
            1,
        )
    })
}

/// The body of an exported C function that reports errors as TVM's C API does: returns 0, or -1 with the error kept
/// for `TVMGetLastError`, so that Python's `check_call` raises it. Panics become errors, Python exceptions pass through.
///
/// Without a TVM in the process there is nowhere to keep the error, and -1 is all that the caller sees.
pub fn c_entry(body: impl FnOnce() -> Result<()>) -> c_int {
    let outcome = catch_unwind(AssertUnwindSafe(|| match body() {
        Ok(()) => 0,
        Err(error) => {
            if let Ok(api) = api() {
                set_last(api, &error);
            }
            -1
        }
    }));
    outcome.unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        // A payload of somebody's own type may panic when it is dropped.
        std::mem::forget(panic);
        if let Ok(api) = api() {
            set_last_text(
                api,
                &format!("InternalError: a Rust function panicked: {message}"),
            );
        }
        -1
    })
}
