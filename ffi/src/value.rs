//! The values that pass between Rust and TVM, one variant for each type code of TVM 0.19.

use std::ffi::c_void;

use crate::data_type::DataType;
use crate::device::Device;
use crate::function::Function;
use crate::module::Module;
use crate::ndarray::{NDArray, Tensor};
use crate::object::Object;

/// An address that TVM passes on and never looks behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpaqueHandle(pub *mut c_void);

// SAFETY: only the address; nothing in this crate reads what is behind it.
unsafe impl Send for OpaqueHandle {}
// SAFETY: as above.
unsafe impl Sync for OpaqueHandle {}

/// An argument: it borrows what it passes.
///
/// TVM has no integer but a signed one of 64 bits, and no float but a double.
#[derive(Debug, Clone, Copy)]
pub enum ArgValue<'a> {
    /// Python's `None`.
    Null,
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// An address.
    Handle(OpaqueHandle),
    /// A data type. TVM's own functions take it; pass a Python function its name, as a string, instead.
    DataType(DataType),
    /// A device.
    Device(Device),
    /// A view of an array.
    Tensor(&'a Tensor),
    /// An array.
    NDArray(&'a NDArray),
    /// An object of any other type, and strings that TVM keeps as objects.
    Object(&'a Object),
    /// A module.
    Module(&'a Module),
    /// A function.
    Function(&'a Function),
    /// A string without NUL bytes.
    Str(&'a str),
    /// Bytes; also a string from TVM that is not UTF-8.
    Bytes(&'a [u8]),
}

/// A result: it owns what it holds, and frees it when it is dropped.
#[derive(Debug)]
pub enum RetValue {
    /// Python's `None`, and what a function returns that returns nothing.
    Null,
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// An address.
    Handle(OpaqueHandle),
    /// A data type. TVM itself returns its name, as a string.
    DataType(DataType),
    /// A device.
    Device(Device),
    /// An array.
    NDArray(NDArray),
    /// An object of any other type, and strings that TVM keeps as objects.
    Object(Object),
    /// A module.
    Module(Module),
    /// A function.
    Function(Function),
    /// A string; one that has a NUL byte ends there.
    Str(String),
    /// Bytes; also a string from TVM that is not UTF-8.
    Bytes(Vec<u8>),
}

impl ArgValue<'_> {
    /// The name of its type, as errors give it.
    pub fn type_name(&self) -> String {
        let name = match self {
            Self::Null => "None",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Bool(_) => "bool",
            Self::Handle(_) => "handle",
            Self::DataType(_) => "data type",
            Self::Device(_) => "device",
            Self::Tensor(_) => "tensor view",
            Self::NDArray(_) => "NDArray",
            Self::Module(_) => "module",
            Self::Function(_) => "function",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::Object(object) => {
                return object
                    .type_key()
                    .map_or_else(|_| "object".to_owned(), |key| format!("object {key}"));
            }
        };
        name.to_owned()
    }
}

impl RetValue {
    /// The value as an argument of another call, or of the return.
    pub fn as_arg(&self) -> ArgValue<'_> {
        match self {
            Self::Null => ArgValue::Null,
            Self::Int(value) => ArgValue::Int(*value),
            Self::Float(value) => ArgValue::Float(*value),
            Self::Bool(value) => ArgValue::Bool(*value),
            Self::Handle(handle) => ArgValue::Handle(*handle),
            Self::DataType(dtype) => ArgValue::DataType(*dtype),
            Self::Device(device) => ArgValue::Device(*device),
            Self::NDArray(array) => ArgValue::NDArray(array),
            Self::Object(object) => ArgValue::Object(object),
            Self::Module(module) => ArgValue::Module(module),
            Self::Function(function) => ArgValue::Function(function),
            Self::Str(text) => ArgValue::Str(text),
            Self::Bytes(bytes) => ArgValue::Bytes(bytes),
        }
    }

    /// The name of its type, as errors give it.
    pub fn type_name(&self) -> String {
        self.as_arg().type_name()
    }

    /// `None` if the value is [`RetValue::Null`].
    pub fn non_null(self) -> Option<Self> {
        match self {
            Self::Null => None,
            value => Some(value),
        }
    }
}
