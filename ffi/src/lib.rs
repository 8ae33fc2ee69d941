//! Safe Rust over the C runtime API of TVM 0.19, with libtvm found at run time.
//!
//! Nothing of TVM is linked: [`Tvm::load`] opens a libtvm.so by its path, and inside Python [`Tvm::in_process`] adopts
//! the one that `import tvm` loaded. After that:
//!
//! - [`Function`]: TVM's packed functions, global or of a module, and Rust closures as packed functions;
//! - [`Module`], [`NDArray`], [`Object`]: what functions take and return, each freed when it is dropped;
//! - [`ArgValue`] and [`RetValue`]: one variant for each type code of the C API, with `From` and `TryFrom`;
//! - [`rpc::Session`]: another process or machine, over TVM's own RPC;
//! - [`Error`]: TVM's text with its stack trace, or a Python exception that keeps its identity.
//!
//! Handles must be dropped for what they hold to end: an RPC session closes when the last function, module and array
//! of it is dropped, and its server serves nobody else before that.
//!
//! # What it is not
//!
//! It is not the crate `tvm-rt` of crates.io (0.1.0-alpha), which links TVM 0.7 at build time, leaks function handles
//! and crashes on a Python exception; this one keeps its vocabulary and no more. It reaches the *runtime*: the compiler
//! is reachable through packed functions like any other, with no Rust types for IR. And it does not speak to TVM 0.20
//! or later, whose C API is another one.

// Generated: what it lacks in style and comments is bindgen's.
#[rustfmt::skip]
#[allow(warnings, clippy::all, clippy::undocumented_unsafe_blocks)]
mod bindings;
mod closure;
mod convert;
mod data_type;
mod device;
mod error;
mod ext_dev;
mod function;
mod loader;
mod module;
mod ndarray;
mod object;
mod pack;
mod python;
pub mod rpc;
mod tvm;
mod value;

pub use closure::{Args, c_entry};
pub use data_type::DataType;
pub use device::{Device, DeviceType, SessionIndex};
pub use error::{Error, Result, TvmError};
pub use ext_dev::{ExtDev, set_last_error};
pub use function::{Function, list_global_names, register_global, remove_global};
pub use loader::can_open;
pub use module::Module;
pub use ndarray::{Element, NDArray, Tensor};
pub use object::Object;
pub use python::PythonError;
pub use tvm::Tvm;
pub use value::{ArgValue, OpaqueHandle, RetValue};
