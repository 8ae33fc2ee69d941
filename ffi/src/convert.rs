//! Rust's types from and to TVM's values.
//!
//! What has an exact counterpart converts; beyond that an integer is a float where a float is asked for, a truth value
//! is an integer and an integer is a truth value (as in TVM's own C++), a string is the data type that it names, and
//! an object that stands for something (a boxed number, a `runtime.String`) is that.

use crate::data_type::DataType;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::function::Function;
use crate::module::Module;
use crate::ndarray::{NDArray, Tensor};
use crate::object::Object;
use crate::value::{ArgValue, OpaqueHandle, RetValue};

macro_rules! from_plain {
    ($($rust:ty => $variant:ident),* $(,)?) => {$(
        impl From<$rust> for ArgValue<'_> {
            fn from(value: $rust) -> Self {
                Self::$variant(value.into())
            }
        }
        impl From<$rust> for RetValue {
            fn from(value: $rust) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from_plain! {
    i64 => Int, i32 => Int, i16 => Int, i8 => Int, u32 => Int, u16 => Int, u8 => Int,
    f64 => Float, f32 => Float, bool => Bool,
    OpaqueHandle => Handle, DataType => DataType, Device => Device,
}

macro_rules! from_borrowed {
    ($($rust:ty => $variant:ident),* $(,)?) => {$(
        impl<'a> From<&'a $rust> for ArgValue<'a> {
            fn from(value: &'a $rust) -> Self {
                Self::$variant(value)
            }
        }
    )*};
}

from_borrowed! {
    str => Str, String => Str, [u8] => Bytes, Vec<u8> => Bytes,
    Tensor => Tensor, NDArray => NDArray, Object => Object, Module => Module, Function => Function,
}

impl<'a> From<&'a RetValue> for ArgValue<'a> {
    fn from(value: &'a RetValue) -> Self {
        value.as_arg()
    }
}

impl From<()> for ArgValue<'_> {
    fn from((): ()) -> Self {
        Self::Null
    }
}

macro_rules! from_owned {
    ($($rust:ty => $variant:ident),* $(,)?) => {$(
        impl From<$rust> for RetValue {
            fn from(value: $rust) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from_owned! {
    String => Str, &str => Str, Vec<u8> => Bytes, &[u8] => Bytes,
    NDArray => NDArray, Object => Object, Module => Module, Function => Function,
}

impl From<()> for RetValue {
    fn from((): ()) -> Self {
        Self::Null
    }
}

impl<T: Into<RetValue>> From<Option<T>> for RetValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl TryFrom<ArgValue<'_>> for RetValue {
    type Error = Error;

    /// Another counted reference to what the argument borrows, or a copy of its text or bytes.
    ///
    /// Two references to one array may end up on two threads; as in Python, who writes then is the caller's care.
    ///
    /// # Errors
    ///
    /// The argument is a tensor view, which nobody can keep beyond the call.
    fn try_from(value: ArgValue<'_>) -> Result<Self> {
        Self::copy_of(&value)
    }
}

fn mismatch(expected: &'static str, found: &RetValue) -> Error {
    Error::Type {
        argument: None,
        expected,
        found: found.type_name(),
    }
}

/// A `TryFrom` for results and one for arguments, from the arms that they have in common.
macro_rules! try_from {
    ($($rust:ty, $expected:literal { $($pattern:pat => $value:expr),* $(,)? })*) => {$(
        impl TryFrom<RetValue> for $rust {
            type Error = Error;

            fn try_from(value: RetValue) -> Result<Self> {
                // Containers keep numbers as objects; anything but an object is what it is.
                let value = match value {
                    RetValue::Object(object) => object.to_value()?,
                    value => value,
                };
                match value {
                    $($pattern => $value,)*
                    other => Err(mismatch($expected, &other)),
                }
            }
        }

        impl TryFrom<ArgValue<'_>> for $rust {
            type Error = Error;

            fn try_from(value: ArgValue<'_>) -> Result<Self> {
                RetValue::copy_of(&value)?.try_into()
            }
        }
    )*};
}

try_from! {
    i64, "int" { RetValue::Int(value) => Ok(value), RetValue::Bool(value) => Ok(value.into()) }
    f64, "float" {
        RetValue::Float(value) => Ok(value),
        RetValue::Int(value) => Ok(value as f64),
        RetValue::Bool(value) => Ok(f64::from(u8::from(value))),
    }
    bool, "bool" { RetValue::Bool(value) => Ok(value), RetValue::Int(value) => Ok(value != 0) }
    OpaqueHandle, "handle" { RetValue::Handle(handle) => Ok(handle) }
    Device, "device" { RetValue::Device(device) => Ok(device) }
    DataType, "data type" { RetValue::DataType(dtype) => Ok(dtype), RetValue::Str(name) => name.parse() }
    String, "str" { RetValue::Str(text) => Ok(text), RetValue::Object(object) => text_of(&object) }
    Vec<u8>, "bytes" { RetValue::Bytes(bytes) => Ok(bytes), RetValue::Str(text) => Ok(text.into_bytes()) }
    NDArray, "NDArray" { RetValue::NDArray(array) => Ok(array) }
    Module, "module" { RetValue::Module(module) => Ok(module) }
    Function, "function" { RetValue::Function(function) => Ok(function) }
    Object, "object" {
        RetValue::Object(object) => Ok(object),
        RetValue::Module(module) => Ok(module.into_object()),
        RetValue::Function(function) => Ok(function.into_object()),
    }
    (), "None" { RetValue::Null => Ok(()) }
}

fn text_of(object: &Object) -> Result<String> {
    match object.type_key()?.as_str() {
        "runtime.String" => object.to_text(),
        other => Err(Error::Type {
            argument: None,
            expected: "str",
            found: format!("object {other}"),
        }),
    }
}

macro_rules! try_from_integer {
    ($($rust:ty, $expected:literal);* $(;)?) => {$(
        impl TryFrom<RetValue> for $rust {
            type Error = Error;

            fn try_from(value: RetValue) -> Result<Self> {
                let value = i64::try_from(value)?;
                Self::try_from(value)
                    .map_err(|_| Error::Type { argument: None, expected: $expected, found: format!("the int {value}") })
            }
        }

        impl TryFrom<ArgValue<'_>> for $rust {
            type Error = Error;

            fn try_from(value: ArgValue<'_>) -> Result<Self> {
                RetValue::copy_of(&value)?.try_into()
            }
        }
    )*};
}

try_from_integer! {
    i32, "an int of 32 bits";
    u32, "an int from 0 to 2^32 - 1";
    u64, "an int that is not negative";
    usize, "an int that is not negative";
}

/// The borrowing conversions of an argument: no copy, and no opening of objects.
macro_rules! try_borrow {
    ($($rust:ty, $variant:ident, $expected:literal);* $(;)?) => {$(
        impl<'a> TryFrom<ArgValue<'a>> for &'a $rust {
            type Error = Error;

            fn try_from(value: ArgValue<'a>) -> Result<Self> {
                match value {
                    ArgValue::$variant(value) => Ok(value),
                    other => Err(Error::Type { argument: None, expected: $expected, found: other.type_name() }),
                }
            }
        }
    )*};
}

try_borrow! {
    str, Str, "str";
    [u8], Bytes, "bytes";
    NDArray, NDArray, "NDArray";
    Object, Object, "object";
    Module, Module, "module";
    Function, Function, "function";
}

impl<'a> TryFrom<ArgValue<'a>> for &'a Tensor {
    type Error = Error;

    fn try_from(value: ArgValue<'a>) -> Result<Self> {
        match value {
            ArgValue::Tensor(tensor) => Ok(tensor),
            ArgValue::NDArray(array) => Ok(array),
            other => Err(Error::Type {
                argument: None,
                expected: "tensor view",
                found: other.type_name(),
            }),
        }
    }
}
