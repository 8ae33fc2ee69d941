//! What can go wrong between Rust and TVM.

use std::error::Error as StdError;
use std::ffi::{CStr, CString};
use std::fmt;
use std::path::PathBuf;

use crate::bindings::TvmApi;
use crate::python::PythonError;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of TVM, of a function that TVM called, or of the way there.
///
/// An error that passes through TVM costs milliseconds, for TVM takes a stack trace with symbols on its way; what
/// happens often is better returned as a value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No TVM was loaded yet.
    #[error(
        "TVM is not loaded in this process; call `Tvm::load` or, inside Python, `Tvm::in_process` first"
    )]
    NotLoaded,
    /// [`Tvm::in_process`](crate::Tvm::in_process) found no TVM to adopt.
    #[error(
        "this process has no TVM with global symbols; import `tvm` first, or load libtvm.so with `Tvm::load`"
    )]
    NotInProcess,
    /// There is no such library.
    #[error("cannot read {}: {reason}; give the path of TVM's libtvm.so", path.display())]
    NoLibrary {
        /// The path that was asked for.
        path: PathBuf,
        /// What the file system said.
        reason: std::io::Error,
    },
    /// The dynamic loader refused the file.
    #[error("cannot load {}: {reason}", path.display())]
    Unloadable {
        /// The path that was asked for.
        path: PathBuf,
        /// What the dynamic loader said.
        reason: String,
    },
    /// The library has not all functions of TVM 0.19's C API.
    #[error("{} is not TVM 0.19: {reason}", path.display())]
    NotTvm {
        /// The library that was loaded.
        path: PathBuf,
        /// Which symbol was missed.
        reason: String,
    },
    /// The library is another version of TVM.
    #[error("{} is TVM {found}, and this program speaks to 0.19; choose an installation of TVM 0.19", path.display())]
    Version {
        /// The library that was loaded.
        path: PathBuf,
        /// The version that it tells, or what it told instead of one.
        found: String,
    },
    /// A process holds one TVM: a second one would have tables of its own, and neither would know the other's handles.
    #[error("cannot load {}: this process already has the TVM of {}", asked.display(), loaded.display())]
    AlreadyLoaded {
        /// The path that was asked for.
        asked: PathBuf,
        /// The library that is there.
        loaded: PathBuf,
    },
    /// TVM reported an error, or a function behind it did.
    #[error(transparent)]
    Tvm(#[from] TvmError),
    /// A Python function that TVM called raised an exception.
    ///
    /// Return it from a Rust function that Python called, and Python's caller sees the same exception object.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// A value has another type than was asked for.
    #[error("TypeError: {}expected {expected}, found {found}", place(*argument))]
    Type {
        /// Which argument of the call, counted from 0; `None` for a returned value.
        argument: Option<usize>,
        /// The type that was asked for.
        expected: &'static str,
        /// The type that was there.
        found: String,
    },
    /// A function was called with too few arguments.
    #[error("TypeError: argument {index} is missing: the call has {given}")]
    MissingArgument {
        /// The argument that was asked for, counted from 0.
        index: usize,
        /// How many arguments the call has.
        given: usize,
    },
    /// A value came with a type code that TVM 0.19 does not define.
    #[error("TypeError: {}unknown TVM type code {code}", place(*argument))]
    TypeCode {
        /// Which argument of the call, counted from 0; `None` for a returned value.
        argument: Option<usize>,
        /// The code.
        code: i32,
    },
    /// TVM has no global function of that name.
    #[error(
        "TVM has no global function `{name}`; is the library or the Python module that registers it loaded?"
    )]
    NoSuchFunction {
        /// The name that was asked for.
        name: String,
    },
    /// A module has no function of that name.
    #[error("the {module} module has no function `{name}`")]
    NoSuchModuleFunction {
        /// The module's type key.
        module: String,
        /// The name that was asked for.
        name: String,
    },
    /// A string with a NUL byte cannot pass through TVM's C API.
    #[error(
        "ValueError: TVM takes no string with a NUL byte, and {text:?} has one; pass bytes instead"
    )]
    Nul {
        /// The string.
        text: String,
    },
    /// A text does not name a data type.
    #[error(
        "ValueError: `{text}` is no TVM data type; write for example float32, int8, uint8x4 or bool"
    )]
    DataType {
        /// The text.
        text: String,
    },
    /// A shape that no array can have.
    #[error("ValueError: no array has the shape {shape:?}: {reason}")]
    Shape {
        /// The shape.
        shape: Vec<i64>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The data does not fit the array.
    #[error(
        "ValueError: an array of shape {shape:?} and type {dtype} holds {expected} {unit}, not {found}"
    )]
    Size {
        /// The array's shape.
        shape: Vec<i64>,
        /// The array's element type.
        dtype: String,
        /// How much the array holds.
        expected: usize,
        /// How much the caller has.
        found: usize,
        /// What is counted: `bytes` or `elements`.
        unit: &'static str,
    },
    /// An error that a Rust function raises towards its caller: Python sees the exception class `kind`.
    #[error("{kind}: {message}")]
    Raise {
        /// The name of an exception class that TVM knows, such as `ValueError`.
        kind: &'static str,
        /// What happened.
        message: String,
    },
    /// Any other error that a Rust function returned to TVM.
    #[error(transparent)]
    Other(Box<dyn StdError + Send + Sync>),
}

fn place(argument: Option<usize>) -> String {
    argument
        .map(|index| format!("argument {index}: "))
        .unwrap_or_default()
}

impl Error {
    /// Any error, to be returned from a Rust function that TVM calls.
    ///
    /// A Python exception among its sources still reaches Python's caller as the object that it was.
    pub fn other(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    /// An error that Python sees as an exception of the class `kind`, for example `ValueError`.
    pub fn raise(kind: &'static str, message: impl Into<String>) -> Self {
        Self::Raise {
            kind,
            message: message.into(),
        }
    }

    /// The same error, said of the argument `index` if it speaks of a value's type.
    pub(crate) fn at(self, index: usize) -> Self {
        match self {
            Self::Type {
                argument: None,
                expected,
                found,
            } => Self::Type {
                argument: Some(index),
                expected,
                found,
            },
            Self::TypeCode {
                argument: None,
                code,
            } => Self::TypeCode {
                argument: Some(index),
                code,
            },
            other => other,
        }
    }

    /// The Python exception at the bottom of this error, if there is one.
    pub fn python(&self) -> Option<&PythonError> {
        match self {
            Self::Python(error) => Some(error),
            Self::Other(error) => {
                let mut next: Option<&(dyn StdError + 'static)> = Some(error.as_ref());
                while let Some(error) = next {
                    if let Some(found) = error.downcast_ref::<PythonError>() {
                        return Some(found);
                    }
                    // Looked at itself: `source` of a transparent variant skips the error that it holds.
                    if let Some(found) = error.downcast_ref::<Error>().and_then(Error::python) {
                        return Some(found);
                    }
                    next = error.source();
                }
                None
            }
            _ => None,
        }
    }
}

/// An error that TVM reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TvmError {
    text: String,
    message_end: usize,
}

impl TvmError {
    pub(crate) fn new(text: String) -> Self {
        let trace = ["\nStack trace", "\nTraceback (most recent call last)"];
        let end = trace
            .iter()
            .filter_map(|mark| text.find(mark))
            .min()
            .unwrap_or(text.len());
        let message_end = text[..end].trim_end().len();
        Self { text, message_end }
    }

    /// What happened, without the stack trace: `InternalError: Check failed: ...`.
    pub fn message(&self) -> &str {
        &self.text[..self.message_end]
    }

    /// All that TVM told, the stack trace included.
    pub fn traceback(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for TvmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.message().is_empty() {
            "TVM failed and left no message"
        } else {
            self.message()
        })
    }
}

impl StdError for TvmError {}

/// Turns the status of a C API call into a result.
pub(crate) fn check(api: &TvmApi, status: std::ffi::c_int) -> Result<()> {
    if status == 0 {
        Ok(())
    } else {
        Err(take_last(api))
    }
}

/// Takes the error that TVM keeps for this thread.
fn take_last(api: &TvmApi) -> Error {
    // SAFETY: TVMGetLastError takes nothing and returns NULL or a string of this thread's own.
    let text = unsafe { api.TVMGetLastError() };
    if text.is_null() {
        // So TVM keeps a Python exception in its place.
        return PythonError::take(api)
            .map_or_else(|| TvmError::new(String::new()).into(), Error::from);
    }
    // SAFETY: not NULL, NUL-terminated, and unchanged until the next API call of this thread.
    let text = unsafe { CStr::from_ptr(text) };
    TvmError::new(text.to_string_lossy().into_owned()).into()
}

/// Leaves `error` with TVM as the error of this thread, for the -1 that the caller returns.
pub(crate) fn set_last(api: &TvmApi, error: &Error) {
    if let Some(python) = error.python()
        && python.give_back(api)
    {
        return;
    }
    let text = match error {
        Error::Tvm(error) => error.traceback().to_owned(),
        other => other.to_string(),
    };
    set_last_text(api, &text);
}

pub(crate) fn set_last_text(api: &TvmApi, text: &str) {
    let text = CString::new(text.replace('\0', "\\0")).unwrap_or_default();
    // SAFETY: TVM copies the NUL-terminated string before it returns.
    unsafe { api.TVMAPISetLastError(text.as_ptr()) };
}
