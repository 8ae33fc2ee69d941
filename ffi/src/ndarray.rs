//! Arrays, in this process or on a device behind an RPC session.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;

use crate::bindings::{DLTensor, TVMArrayHandle};
use crate::data_type::DataType;
use crate::device::Device;
use crate::error::{Error, Result, check};
use crate::tvm::api;

/// An element type that Rust and TVM write alike.
pub trait Element: bytemuck::Pod + sealed::Sealed {
    /// TVM's name for it.
    const DATA_TYPE: DataType;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! elements {
    ($($rust:ty => $tvm:ident),* $(,)?) => {$(
        impl sealed::Sealed for $rust {}
        impl Element for $rust {
            const DATA_TYPE: DataType = DataType::$tvm;
        }
    )*};
}

elements! {
    i8 => INT8, i16 => INT16, i32 => INT32, i64 => INT64,
    u8 => UINT8, u16 => UINT16, u32 => UINT32, u64 => UINT64,
    f32 => FLOAT32, f64 => FLOAT64,
}

/// A view of an array that somebody else keeps: an argument of a callback, or what an [`NDArray`] owns.
///
/// Its data may be on another device or another machine; the copies below go there.
#[repr(transparent)]
pub struct Tensor(DLTensor);

impl Tensor {
    pub(crate) fn handle(&self) -> TVMArrayHandle {
        std::ptr::from_ref(&self.0).cast_mut()
    }

    /// The length of each axis, outermost first.
    pub fn shape(&self) -> &[i64] {
        let axes = usize::try_from(self.0.ndim).unwrap_or(0);
        if axes == 0 || self.0.shape.is_null() {
            return &[];
        }
        // SAFETY: DLPack: `shape` points to `ndim` lengths that live as long as the tensor and do not change.
        unsafe { std::slice::from_raw_parts(self.0.shape, axes) }
    }

    /// The type of its elements.
    pub fn dtype(&self) -> DataType {
        DataType::from_raw(self.0.dtype)
    }

    /// Where its data is.
    pub fn device(&self) -> Device {
        Device::from_raw(self.0.device)
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.shape()
            .iter()
            .map(|length| usize::try_from(*length).unwrap_or(0))
            .fold(1, usize::saturating_mul)
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The size of its data in bytes.
    pub fn byte_size(&self) -> usize {
        self.len().saturating_mul(self.dtype().bytes())
    }

    /// Fills the array with bytes, in row-major order and this machine's byte order.
    ///
    /// # Errors
    ///
    /// The array is of another size, is not contiguous, or its device failed.
    pub fn copy_from_bytes(&self, bytes: &[u8]) -> Result<()> {
        self.expect_size(self.byte_size(), bytes.len(), "bytes")?;
        let api = api()?;
        // SAFETY: the tensor is alive; TVM reads `len` bytes from the pointer, which it takes as mutable but only reads.
        check(api, unsafe {
            api.TVMArrayCopyFromBytes(self.handle(), bytes.as_ptr().cast_mut().cast(), bytes.len())
        })
    }

    /// Copies the array's bytes, in row-major order and this machine's byte order.
    ///
    /// # Errors
    ///
    /// `bytes` is of another size, the array is not contiguous, or its device failed.
    pub fn copy_to_bytes(&self, bytes: &mut [u8]) -> Result<()> {
        self.expect_size(self.byte_size(), bytes.len(), "bytes")?;
        let api = api()?;
        // SAFETY: the tensor is alive; TVM writes `len` bytes to the pointer.
        check(api, unsafe {
            api.TVMArrayCopyToBytes(self.handle(), bytes.as_mut_ptr().cast(), bytes.len())
        })
    }

    /// Fills the array with elements, in row-major order.
    ///
    /// # Errors
    ///
    /// The array is of another type or size, is not contiguous, or its device failed.
    pub fn copy_from_slice<T: Element>(&self, elements: &[T]) -> Result<()> {
        self.expect_type::<T>()?;
        self.expect_size(self.len(), elements.len(), "elements")?;
        self.copy_from_bytes(bytemuck::cast_slice(elements))
    }

    /// The array's elements, in row-major order.
    ///
    /// # Errors
    ///
    /// The array is of another type, is not contiguous, or its device failed.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        self.expect_type::<T>()?;
        let mut elements = vec![T::zeroed(); self.len()];
        self.copy_to_bytes(bytemuck::cast_slice_mut(&mut elements))?;
        Ok(elements)
    }

    /// Copies this array's data into another of the same size, on any device.
    ///
    /// # Errors
    ///
    /// The sizes differ, neither device is the CPU of this process or both the same kind, or a device failed.
    pub fn copy_to(&self, target: &Tensor) -> Result<()> {
        target.expect_size(target.byte_size(), self.byte_size(), "bytes")?;
        let api = api()?;
        // SAFETY: both tensors are alive; a NULL stream stands for the default one.
        check(api, unsafe {
            api.TVMArrayCopyFromTo(self.handle(), target.handle(), std::ptr::null_mut())
        })?;
        self.synchronize()?;
        target.synchronize()
    }

    fn synchronize(&self) -> Result<()> {
        let api = api()?;
        let device = self.device();
        // SAFETY: numbers only; a NULL stream stands for the default one.
        check(api, unsafe {
            api.TVMSynchronize(device.device_type.0, device.device_id, std::ptr::null_mut())
        })
    }

    fn expect_size(&self, expected: usize, found: usize, unit: &'static str) -> Result<()> {
        if expected == found {
            return Ok(());
        }
        Err(Error::Size {
            shape: self.shape().to_vec(),
            dtype: self.dtype().to_string(),
            expected,
            found,
            unit,
        })
    }

    fn expect_type<T: Element>(&self) -> Result<()> {
        if self.dtype() == T::DATA_TYPE {
            return Ok(());
        }
        let expected = std::any::type_name::<T>();
        Err(Error::Type {
            argument: None,
            expected,
            found: format!("an array of {}", self.dtype()),
        })
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Tensor({:?}, {}, {})",
            self.shape(),
            self.dtype(),
            self.device()
        )
    }
}

/// An array that TVM allocated, with one counted reference to it.
///
/// It is a [`Tensor`] (shape, copies) that lives as long as this does. Remote arrays keep their session open.
// `repr(transparent)`: an argument slot that holds an array's handle is read as an `&NDArray` (see pack.rs).
#[repr(transparent)]
pub struct NDArray(NonNull<DLTensor>);

// SAFETY: the reference count is atomic and the data is bound to no thread. Not Sync: a copy into the array during a
// copy out of it, from another thread, would be a race.
unsafe impl Send for NDArray {}

impl NDArray {
    /// Takes over one counted reference.
    ///
    /// # Safety
    ///
    /// `handle` is a live array of the loaded TVM, and the caller gives up one reference to it.
    pub(crate) unsafe fn from_owned(handle: NonNull<DLTensor>) -> Self {
        Self(handle)
    }

    /// Allocates an array, its contents undefined. A device of an RPC session makes it there.
    ///
    /// # Errors
    ///
    /// The shape is impossible, there is no such device, or it has not the memory.
    pub fn empty(shape: &[i64], dtype: DataType, device: Device) -> Result<Self> {
        let wrong = |reason| Error::Shape {
            shape: shape.to_vec(),
            reason,
        };
        let axes = i32::try_from(shape.len()).map_err(|_| wrong("too many axes"))?;
        let mut size = i64::try_from(dtype.bytes()).map_err(|_| wrong("too large"))?;
        for length in shape {
            if *length < 0 {
                return Err(wrong("an axis has a negative length"));
            }
            size = size
                .checked_mul(*length)
                .ok_or_else(|| wrong("too large"))?;
        }
        let api = api()?;
        let mut handle = std::ptr::null_mut();
        // SAFETY: `shape` has `axes` lengths, checked above; `handle` is a place for a handle.
        check(api, unsafe {
            api.TVMArrayAlloc(
                shape.as_ptr(),
                axes,
                dtype.code().into(),
                dtype.bits().into(),
                dtype.lanes().into(),
                device.device_type.0,
                device.device_id,
                &mut handle,
            )
        })?;
        NonNull::new(handle)
            .map(Self)
            .ok_or_else(|| wrong("TVM made no array of it"))
    }

    /// An array on the CPU with these elements, in row-major order.
    ///
    /// # Errors
    ///
    /// The shape does not hold as many.
    pub fn from_slice<T: Element>(shape: &[i64], elements: &[T]) -> Result<Self> {
        let array = Self::empty(shape, T::DATA_TYPE, Device::cpu(0))?;
        array.copy_from_slice(elements)?;
        Ok(array)
    }
}

impl Deref for NDArray {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        // SAFETY: the handle is a live DLTensor as long as this holds a reference, and Tensor is made of one.
        unsafe { self.0.cast().as_ref() }
    }
}

impl Drop for NDArray {
    fn drop(&mut self) {
        if let Ok(api) = api() {
            // SAFETY: this reference is counted and given up once.
            unsafe { api.TVMArrayFree(self.0.as_ptr()) };
        }
    }
}

impl fmt::Debug for NDArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "NDArray({:?}, {}, {})",
            self.shape(),
            self.dtype(),
            self.device()
        )
    }
}
