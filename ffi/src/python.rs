//! Python exceptions on their way through Rust.
//!
//! When a Python function that TVM called raises, TVM keeps the exception *object*, one per thread, and has no text
//! for it (`TVMGetLastError` is NULL). The object moves into a [`PythonError`]; a Rust function that returns it to TVM
//! hands the same object back. Python's own C API is taken from the process: where an exception is, Python is.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt;
use std::ptr::NonNull;
use std::sync::OnceLock;

use libloading::os::unix::Library;

use crate::bindings::TvmApi;

/// An exception that a Python function raised.
#[derive(Debug)]
pub struct PythonError {
    text: String,
    object: Option<Exception>,
}

impl PythonError {
    /// Takes the exception that TVM keeps for this thread, if it keeps one.
    pub(crate) fn take(tvm: &TvmApi) -> Option<Self> {
        // SAFETY: takes nothing; returns NULL or an object that TVM holds a reference to.
        let object = NonNull::new(unsafe { tvm.TVMGetLastPythonError() })?;
        let Some(python) = PythonApi::get() else {
            // It stays with TVM, where a failing return finds it if nothing else fails in between.
            return Some(Self {
                text: "a Python exception".to_owned(),
                object: None,
            });
        };
        let (object, text) = python.with_gil(|gil| {
            // SAFETY: the object is alive (TVM holds a reference), and the GIL is held.
            unsafe { (python.incref)(object.as_ptr()) };
            (Exception(object), gil.describe(object))
        })?;
        // SAFETY: takes nothing; drops TVM's own reference, ours is counted.
        unsafe { tvm.TVMDropLastPythonError() };
        Some(Self {
            text,
            object: Some(object),
        })
    }

    /// Leaves the exception with TVM as this thread's error; says whether that was possible.
    pub(crate) fn give_back(&self, tvm: &TvmApi) -> bool {
        match &self.object {
            Some(Exception(object)) => {
                // SAFETY: the object is alive; TVM takes a reference of its own, and the GIL for that.
                unsafe { tvm.TVMAPISetLastPythonError(object.as_ptr()) };
                true
            }
            // SAFETY: takes nothing.
            None => !unsafe { tvm.TVMGetLastPythonError() }.is_null(),
        }
    }
}

impl fmt::Display for PythonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for PythonError {}

/// A counted reference to a Python exception.
#[derive(Debug)]
struct Exception(NonNull<c_void>);

// SAFETY: the object is only touched with the GIL held, which serialises all threads.
unsafe impl Send for Exception {}
// SAFETY: as above.
unsafe impl Sync for Exception {}

impl Drop for Exception {
    fn drop(&mut self) {
        if let Some(python) = PythonApi::get() {
            // SAFETY: this reference was counted in `take`, it is given up once, and the GIL is held.
            python.with_gil(|_| unsafe { (python.decref)(self.0.as_ptr()) });
        }
    }
}

/// The few functions of Python's stable ABI that exceptions need.
struct PythonApi {
    is_initialized: unsafe extern "C" fn() -> c_int,
    gil_ensure: unsafe extern "C" fn() -> c_int,
    gil_release: unsafe extern "C" fn(c_int),
    incref: unsafe extern "C" fn(*mut c_void),
    decref: unsafe extern "C" fn(*mut c_void),
    str: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    get_attr: unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void,
    utf8: unsafe extern "C" fn(*mut c_void, *mut isize) -> *const c_char,
    error_clear: unsafe extern "C" fn(),
}

/// Proof that the GIL is held.
struct Gil<'a>(&'a PythonApi);

impl PythonApi {
    fn get() -> Option<&'static Self> {
        static API: OnceLock<Option<PythonApi>> = OnceLock::new();
        API.get_or_init(Self::find).as_ref()
    }

    fn find() -> Option<Self> {
        let process = Library::this();
        // SAFETY: each symbol is a function of Python's stable ABI with exactly this signature, and Python is never
        // unloaded from a process.
        unsafe {
            Some(Self {
                is_initialized: *process.get(b"Py_IsInitialized\0").ok()?,
                gil_ensure: *process.get(b"PyGILState_Ensure\0").ok()?,
                gil_release: *process.get(b"PyGILState_Release\0").ok()?,
                incref: *process.get(b"Py_IncRef\0").ok()?,
                decref: *process.get(b"Py_DecRef\0").ok()?,
                str: *process.get(b"PyObject_Str\0").ok()?,
                get_attr: *process.get(b"PyObject_GetAttrString\0").ok()?,
                utf8: *process.get(b"PyUnicode_AsUTF8AndSize\0").ok()?,
                error_clear: *process.get(b"PyErr_Clear\0").ok()?,
            })
        }
    }

    /// Runs `f` with the GIL held, or not at all once the interpreter is gone.
    fn with_gil<T>(&self, f: impl FnOnce(&Gil<'_>) -> T) -> Option<T> {
        // SAFETY: callable at any time, from any thread.
        if unsafe { (self.is_initialized)() } == 0 {
            return None;
        }
        // SAFETY: the interpreter is initialised; works whether or not this thread holds the GIL.
        let state = unsafe { (self.gil_ensure)() };
        let result = f(&Gil(self));
        // SAFETY: the state is that of the matching call above, on this thread.
        unsafe { (self.gil_release)(state) };
        Some(result)
    }
}

impl Gil<'_> {
    /// `ValueError: what it says`.
    fn describe(&self, object: NonNull<c_void>) -> String {
        let class = self.attr(object, c"__class__").and_then(|class| {
            let name = self
                .attr(class, c"__name__")
                .and_then(|name| self.text(name));
            // SAFETY: `attr` returned a new reference, given up once.
            unsafe { (self.0.decref)(class.as_ptr()) };
            name
        });
        // SAFETY: the object is alive and the GIL is held; returns NULL or a new reference.
        let said =
            NonNull::new(unsafe { (self.0.str)(object.as_ptr()) }).and_then(|said| self.text(said));
        // SAFETY: the GIL is held. Whatever failed above is not this thread's business any more.
        unsafe { (self.0.error_clear)() };
        let class = class.unwrap_or_else(|| "Python exception".to_owned());
        match said {
            Some(said) if !said.is_empty() => format!("{class}: {said}"),
            _ => class,
        }
    }

    fn attr(&self, object: NonNull<c_void>, name: &CStr) -> Option<NonNull<c_void>> {
        // SAFETY: the object is alive, the name is NUL-terminated and the GIL is held.
        NonNull::new(unsafe { (self.0.get_attr)(object.as_ptr(), name.as_ptr()) })
    }

    /// The text of a Python string, whose reference this takes over.
    fn text(&self, string: NonNull<c_void>) -> Option<String> {
        let mut length = 0_isize;
        // SAFETY: the object is alive and the GIL is held; returns NULL if it is no string.
        let bytes = unsafe { (self.0.utf8)(string.as_ptr(), &mut length) };
        let text = (!bytes.is_null()).then(|| {
            // SAFETY: Python keeps `length` bytes at `bytes` as long as the string lives.
            let bytes =
                unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length.unsigned_abs()) };
            String::from_utf8_lossy(bytes).into_owned()
        });
        // SAFETY: the caller's reference, given up once.
        unsafe { (self.0.decref)(string.as_ptr()) };
        text
    }
}
