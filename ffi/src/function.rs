//! Packed functions: TVM's own, those of modules, and Rust closures.

use std::ffi::{CStr, c_int, c_void};
use std::fmt;
use std::ptr::NonNull;

use crate::bindings::{TVMValue, kTVMNullptr};
use crate::closure::{self, Args};
use crate::error::{Error, Result, check};
use crate::object::Object;
use crate::pack::{Packed, c_string};
use crate::tvm::api;
use crate::value::{ArgValue, RetValue};

/// A function that TVM can call, and that can be called through TVM.
///
/// ```no_run
/// # use tvm_rt::{Function, RetValue, Tvm};
/// # Tvm::load("libtvm.so".as_ref())?;
/// let double = Function::from_fn(|args| Ok(RetValue::from(2 * args.get::<i64>(0)?)))?;
/// assert_eq!(i64::try_from(double.call(&[21.into()])?)?, 42);
/// let error = double.call(&["21".into()]).unwrap_err();
/// assert!(error.to_string().contains("argument 0: expected int, found str"));
/// # Ok::<(), tvm_rt::Error>(())
/// ```
#[derive(Clone)]
#[repr(transparent)]
pub struct Function(Object);

impl Function {
    pub(crate) fn from_object(object: Object) -> Self {
        Self(object)
    }

    /// Takes over a function's handle; `None` if it is NULL.
    ///
    /// # Safety
    ///
    /// `handle` is NULL or a live function, and the caller gives up one reference to it.
    pub(crate) unsafe fn from_owned(handle: *mut c_void) -> Option<Self> {
        // SAFETY: the caller's promise.
        NonNull::new(handle).map(|handle| Self(unsafe { Object::from_owned(handle) }))
    }

    /// The function as an object.
    pub fn as_object(&self) -> &Object {
        &self.0
    }

    /// The function as an object.
    pub fn into_object(self) -> Object {
        self.0
    }

    /// The global function `name`.
    ///
    /// # Errors
    ///
    /// There is none of that name, or no TVM.
    pub fn get(name: &str) -> Result<Self> {
        Self::find(name)?.ok_or_else(|| Error::NoSuchFunction {
            name: name.to_owned(),
        })
    }

    /// As [`Function::get`], with `None` for a function that is not there.
    ///
    /// # Errors
    ///
    /// There is no TVM, or the name has a NUL byte.
    pub fn find(name: &str) -> Result<Option<Self>> {
        let api = api()?;
        let name = c_string(name)?;
        let mut handle = std::ptr::null_mut();
        // SAFETY: the name is NUL-terminated and `handle` a place for a handle.
        check(api, unsafe {
            api.TVMFuncGetGlobal(name.as_ptr(), &mut handle)
        })?;
        // SAFETY: NULL, or a function whose reference TVM counted for us. (The header says that it is not to be freed;
        // TVM's code has counted one since 0.8, and Python frees it too.)
        Ok(unsafe { Self::from_owned(handle) })
    }

    /// Makes a packed function of a Rust closure, which any thread may call at any time.
    ///
    /// An error that it returns becomes TVM's error, a panic too; a Python exception passes through as it is.
    ///
    /// # Errors
    ///
    /// There is no TVM.
    pub fn from_fn<F>(f: F) -> Result<Self>
    where
        F: Fn(&Args<'_>) -> Result<RetValue> + Send + Sync + 'static,
    {
        closure::from_fn(f)
    }

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// What the function raised, or an argument that cannot pass.
    pub fn call(&self, args: &[ArgValue<'_>]) -> Result<RetValue> {
        let api = api()?;
        let mut packed = Packed::new(args)?;
        let mut value = TVMValue { v_int64: 0 };
        let mut code: c_int = kTVMNullptr.cast_signed();
        // SAFETY: the function is alive; `packed` holds as many values as codes and outlives the call; TVM writes the
        // result to `value` and `code`.
        check(api, unsafe {
            api.TVMFuncCall(
                self.0.handle(),
                packed.values.as_mut_ptr(),
                packed.codes.as_mut_ptr(),
                packed.len()?,
                &mut value,
                &mut code,
            )
        })?;
        // SAFETY: the call succeeded, so `value` is what `code` says and any reference in it is ours.
        unsafe { RetValue::from_owned(value, code) }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({:p})", self.0.handle())
    }
}

/// Makes a function global under a name, so that TVM and Python find it.
///
/// # Errors
///
/// The name is taken and `replace` is false, or it has a NUL byte.
pub fn register_global(name: &str, function: &Function, replace: bool) -> Result<()> {
    let api = api()?;
    let name = c_string(name)?;
    // SAFETY: the name is NUL-terminated and the function alive; TVM counts a reference of its own.
    check(api, unsafe {
        api.TVMFuncRegisterGlobal(name.as_ptr(), function.0.handle(), i32::from(replace))
    })
}

/// Takes a name from the global functions; a name that is not there is no error.
///
/// # Errors
///
/// There is no TVM, or the name has a NUL byte.
pub fn remove_global(name: &str) -> Result<()> {
    let api = api()?;
    let name = c_string(name)?;
    // SAFETY: the name is NUL-terminated.
    check(api, unsafe { api.TVMFuncRemoveGlobal(name.as_ptr()) })
}

/// The names of all global functions, sorted.
///
/// # Errors
///
/// There is no TVM.
pub fn list_global_names() -> Result<Vec<String>> {
    let api = api()?;
    let mut size = 0;
    let mut names = std::ptr::null_mut();
    // SAFETY: places for a number and a pointer.
    check(api, unsafe {
        api.TVMFuncListGlobalNames(&mut size, &mut names)
    })?;
    let size = usize::try_from(size).unwrap_or(0);
    if size == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: TVM keeps `size` pointers to NUL-terminated names for this thread until the next call of this function.
    let names = unsafe { std::slice::from_raw_parts(names, size) };
    let mut names: Vec<String> = names
        .iter()
        .map(|name| {
            // SAFETY: as above.
            unsafe { CStr::from_ptr(*name) }
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort_unstable();
    Ok(names)
}
