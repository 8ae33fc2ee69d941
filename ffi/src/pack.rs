//! Between Rust's values and the unions of TVM's C API.

use std::ffi::{CStr, CString, c_int};
use std::ptr::NonNull;

use smallvec::SmallVec;

use crate::bindings::{self as ffi, TVMByteArray, TVMValue};
use crate::data_type::DataType;
use crate::device::Device;
use crate::error::{Error, Result, check};
use crate::function::Function;
use crate::module::Module;
use crate::ndarray::{NDArray, Tensor};
use crate::object::Object;
use crate::tvm::api;
use crate::value::{ArgValue, OpaqueHandle, RetValue};

/// So many arguments pass without an allocation.
pub(crate) const INLINE: usize = 8;

/// A string for TVM.
pub(crate) fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::Nul {
        text: text.to_owned(),
    })
}

/// Arguments as TVM takes them, with what they point to.
pub(crate) struct Packed {
    pub(crate) values: SmallVec<[TVMValue; INLINE]>,
    pub(crate) codes: SmallVec<[c_int; INLINE]>,
    // The heap buffers of these do not move when the vectors grow.
    _strings: SmallVec<[CString; 2]>,
    _byte_arrays: SmallVec<[Box<TVMByteArray>; 2]>,
}

impl Packed {
    pub(crate) fn new(args: &[ArgValue<'_>]) -> Result<Self> {
        let mut packed = Self {
            values: SmallVec::new(),
            codes: SmallVec::new(),
            _strings: SmallVec::new(),
            _byte_arrays: SmallVec::new(),
        };
        for arg in args {
            packed.push(arg)?;
        }
        Ok(packed)
    }

    pub(crate) fn len(&self) -> Result<c_int> {
        c_int::try_from(self.values.len())
            .map_err(|_| Error::raise("ValueError", "more arguments than a C int counts"))
    }

    fn push(&mut self, arg: &ArgValue<'_>) -> Result<()> {
        let handle = |pointer| TVMValue { v_handle: pointer };
        let (value, code) = match *arg {
            ArgValue::Null => (handle(std::ptr::null_mut()), ffi::kTVMNullptr),
            ArgValue::Int(value) => (TVMValue { v_int64: value }, ffi::kTVMArgInt),
            ArgValue::Float(value) => (TVMValue { v_float64: value }, ffi::kTVMArgFloat),
            // TVM reads and writes a bool through the whole 64-bit member.
            ArgValue::Bool(value) => (
                TVMValue {
                    v_int64: value.into(),
                },
                ffi::kTVMArgBool,
            ),
            ArgValue::Handle(OpaqueHandle(pointer)) => (handle(pointer), ffi::kTVMOpaqueHandle),
            ArgValue::DataType(dtype) => {
                // It fills half of the union; the other half is read with it, so it gets a value too.
                let mut value = TVMValue { v_int64: 0 };
                value.v_type = dtype.to_raw();
                (value, ffi::kTVMDataType)
            }
            ArgValue::Device(device) => (
                TVMValue {
                    v_device: device.to_raw(),
                },
                ffi::kDLDevice,
            ),
            ArgValue::Tensor(tensor) => (handle(tensor.handle().cast()), ffi::kTVMDLTensorHandle),
            ArgValue::NDArray(array) => (handle(array.handle().cast()), ffi::kTVMNDArrayHandle),
            ArgValue::Object(object) => (handle(object.handle()), ffi::kTVMObjectHandle),
            ArgValue::Module(module) => {
                (handle(module.as_object().handle()), ffi::kTVMModuleHandle)
            }
            ArgValue::Function(function) => (
                handle(function.as_object().handle()),
                ffi::kTVMPackedFuncHandle,
            ),
            ArgValue::Str(text) => {
                let text = c_string(text)?;
                let value = TVMValue {
                    v_str: text.as_ptr(),
                };
                self._strings.push(text);
                (value, ffi::kTVMStr)
            }
            ArgValue::Bytes(bytes) => {
                let mut array = Box::new(TVMByteArray {
                    data: bytes.as_ptr().cast(),
                    size: bytes.len(),
                });
                let value = handle(std::ptr::from_mut(&mut *array).cast());
                self._byte_arrays.push(array);
                (value, ffi::kTVMBytes)
            }
        };
        self.values.push(value);
        self.codes.push(code.cast_signed());
        Ok(())
    }
}

impl<'a> ArgValue<'a> {
    /// Reads one argument that TVM passes to a callback.
    ///
    /// Objects are borrowed from the slot itself: it holds the handle that an `Object`, `Module`, `Function` or
    /// `NDArray` is made of.
    ///
    /// # Safety
    ///
    /// The value is what `code` says, and lives with all that it points to for `'a`.
    pub(crate) unsafe fn from_raw(slot: *const TVMValue, code: c_int) -> Result<Self> {
        // SAFETY: the caller promises a live value; reading 64 bits of the union as a pointer is valid for any member.
        let pointer = unsafe { (*slot).v_handle };
        // SAFETY (all blocks below): the member read is the one that the code tells, and references come from handles
        // that are not NULL, of the type that the code tells, alive for 'a.
        Ok(match code.cast_unsigned() {
            // 1 is DLPack's unsigned integer, a spare slot that TVM leaves unused.
            // SAFETY: an integer.
            ffi::kTVMArgInt | 1 => Self::Int(unsafe { (*slot).v_int64 }),
            // SAFETY: a float.
            ffi::kTVMArgFloat => Self::Float(unsafe { (*slot).v_float64 }),
            // Only the lowest byte is sure to be written by ctypes, which knows the member as a C bool.
            // SAFETY: an integer.
            ffi::kTVMArgBool => Self::Bool(unsafe { (*slot).v_int64 } & 0xff != 0),
            ffi::kTVMOpaqueHandle => Self::Handle(OpaqueHandle(pointer)),
            ffi::kTVMNullptr => Self::Null,
            // SAFETY: a data type.
            ffi::kTVMDataType => Self::DataType(DataType::from_raw(unsafe { (*slot).v_type })),
            // SAFETY: a device.
            ffi::kDLDevice => Self::Device(Device::from_raw(unsafe { (*slot).v_device })),
            _ if pointer.is_null() => Self::Null,
            // SAFETY: a DLTensor, which is what a Tensor is made of.
            ffi::kTVMDLTensorHandle => Self::Tensor(unsafe { &*pointer.cast::<Tensor>() }),
            // SAFETY: the slot holds an object's handle, which is what an Object is made of.
            ffi::kTVMObjectHandle => Self::Object(unsafe { &*slot.cast::<Object>() }),
            // SAFETY: as above, and a Module is made of an Object.
            ffi::kTVMModuleHandle => Self::Module(unsafe { &*slot.cast::<Module>() }),
            // SAFETY: as above, and a Function is made of an Object.
            ffi::kTVMPackedFuncHandle => Self::Function(unsafe { &*slot.cast::<Function>() }),
            // SAFETY: the slot holds an array's handle, which is what an NDArray is made of.
            ffi::kTVMNDArrayHandle => Self::NDArray(unsafe { &*slot.cast::<NDArray>() }),
            // The caller lets us move the object out; we borrow it from the place where the caller keeps it.
            // SAFETY: the pointer is that of a place that holds an object's handle, or NULL if it was moved out.
            ffi::kTVMObjectRValueRefArg => match unsafe { &*pointer.cast::<Option<Object>>() } {
                Some(object) => Self::Object(object),
                None => Self::Null,
            },
            ffi::kTVMStr => {
                // SAFETY: a NUL-terminated string.
                let text = unsafe { CStr::from_ptr(pointer.cast()) };
                text.to_str()
                    .map_or(Self::Bytes(text.to_bytes()), Self::Str)
            }
            ffi::kTVMBytes => {
                // SAFETY: a byte array.
                Self::Bytes(unsafe { bytes(pointer.cast()) })
            }
            _ => {
                return Err(Error::TypeCode {
                    argument: None,
                    code,
                });
            }
        })
    }
}

/// # Safety
///
/// A live byte array whose data lives as long.
unsafe fn bytes<'a>(array: *const TVMByteArray) -> &'a [u8] {
    // SAFETY: the caller's promise.
    let TVMByteArray { data, size } = unsafe { *array };
    if size == 0 {
        return &[]; // and `data` may be NULL
    }
    // SAFETY: the caller promises `size` bytes at `data`.
    unsafe { std::slice::from_raw_parts(data.cast(), size) }
}

impl RetValue {
    /// Takes over a value that TVM returned.
    ///
    /// # Safety
    ///
    /// The value is what `code` says, and the caller gives up the reference in it, if there is one. A string or bytes
    /// live until this thread's next call.
    pub(crate) unsafe fn from_owned(value: TVMValue, code: c_int) -> Result<Self> {
        // SAFETY: reading 64 bits of the union as a pointer is valid for any member.
        let pointer = unsafe { value.v_handle };
        // SAFETY: a live object whose reference is ours.
        let object = || NonNull::new(pointer).map(|handle| unsafe { Object::from_owned(handle) });
        Ok(match code.cast_unsigned() {
            ffi::kTVMObjectHandle => object().map_or(Self::Null, Self::Object),
            ffi::kTVMModuleHandle => object().map_or(Self::Null, |object| {
                Self::Module(Module::from_object(object))
            }),
            ffi::kTVMPackedFuncHandle => object().map_or(Self::Null, |object| {
                Self::Function(Function::from_object(object))
            }),
            ffi::kTVMNDArrayHandle => match NonNull::new(pointer.cast()) {
                // SAFETY: a live array whose reference is ours.
                Some(handle) => Self::NDArray(unsafe { NDArray::from_owned(handle) }),
                None => Self::Null,
            },
            // A bare tensor has no owner that would keep it alive: it stays an address.
            ffi::kTVMDLTensorHandle => Self::Handle(OpaqueHandle(pointer)),
            // SAFETY: what else there is holds no reference, and a string or bytes are copied at once.
            _ => Self::copy_of(&unsafe { ArgValue::from_raw(&value, code) }?)?,
        })
    }

    /// A value of its own of what an argument borrows: counts a reference, copies text and bytes, and opens boxes
    /// (TVM keeps a number in a container as an object of the type `runtime.BoxInt`, and unboxes it on the way out).
    pub(crate) fn copy_of(arg: &ArgValue<'_>) -> Result<Self> {
        match *arg {
            ArgValue::Null => Ok(Self::Null),
            ArgValue::Int(value) => Ok(Self::Int(value)),
            ArgValue::Float(value) => Ok(Self::Float(value)),
            ArgValue::Bool(value) => Ok(Self::Bool(value)),
            ArgValue::Handle(handle) => Ok(Self::Handle(handle)),
            ArgValue::DataType(dtype) => Ok(Self::DataType(dtype)),
            ArgValue::Device(device) => Ok(Self::Device(device)),
            ArgValue::Str(text) => Ok(Self::Str(text.to_owned())),
            ArgValue::Bytes(bytes) => Ok(Self::Bytes(bytes.to_owned())),
            ArgValue::Tensor(_) => Err(Error::Type {
                argument: None,
                expected: "a value that outlives the call",
                found: "a view of a tensor".to_owned(),
            }),
            ArgValue::NDArray(_)
            | ArgValue::Object(_)
            | ArgValue::Module(_)
            | ArgValue::Function(_) => {
                let api = api()?;
                let packed = Packed::new(&[*arg])?;
                let (mut value, mut code) = (packed.values[0], packed.codes[0]);
                // SAFETY: one value and its code, a handle that is alive; TVM replaces them by a counted copy.
                check(api, unsafe { api.TVMCbArgToReturn(&mut value, &mut code) })?;
                // SAFETY: as the call left it, with a reference that is ours.
                unsafe { Self::from_owned(value, code) }
            }
        }
    }
}
