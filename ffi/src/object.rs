//! Reference-counted objects of TVM, of any type.

use std::ffi::{CStr, c_void};
use std::fmt;
use std::ptr::NonNull;

use crate::error::{Error, Result, check};
use crate::function::Function;
use crate::tvm::api;
use crate::value::{ArgValue, RetValue};

/// One counted reference to an object of TVM.
///
/// A clone is another reference to the same object; the last one dropped frees it. Functions and modules are objects
/// too, and [`Function`] and [`Module`](crate::Module) are made of this.
// `repr(transparent)`: an argument slot that holds an object's handle is read as an `&Object` (see pack.rs).
#[repr(transparent)]
pub struct Object(NonNull<c_void>);

// SAFETY: the reference count is atomic. What an object's own functions do, TVM calls from any thread itself (Python
// releases its lock around every call), so nothing is added by another thread of ours.
unsafe impl Send for Object {}
// SAFETY: as above; through a shared reference Rust reads the type and passes the handle on, and writes nothing.
unsafe impl Sync for Object {}

impl Object {
    /// Takes over one counted reference.
    ///
    /// # Safety
    ///
    /// `handle` is a live object of the loaded TVM, and the caller gives up one reference to it.
    pub(crate) unsafe fn from_owned(handle: NonNull<c_void>) -> Self {
        Self(handle)
    }

    pub(crate) fn handle(&self) -> *mut c_void {
        self.0.as_ptr()
    }

    /// The number that TVM gave the object's type in this process.
    pub fn type_index(&self) -> Result<u32> {
        let api = api()?;
        let mut index = 0;
        // SAFETY: the handle is alive, and `index` is a place for a number.
        check(api, unsafe {
            api.TVMObjectGetTypeIndex(self.handle(), &mut index)
        })?;
        Ok(index)
    }

    /// The name of the object's type, such as `runtime.String`.
    pub fn type_key(&self) -> Result<String> {
        let api = api()?;
        let mut key = std::ptr::null_mut();
        // SAFETY: `key` is a place for a pointer; on success it holds a NUL-terminated string.
        check(api, unsafe {
            api.TVMObjectTypeIndex2Key(self.type_index()?, &mut key)
        })?;
        // SAFETY: as above.
        let text = unsafe { CStr::from_ptr(key) }
            .to_string_lossy()
            .into_owned();
        // SAFETY: TVM allocated the string with malloc for its caller, and it is not used after this.
        unsafe { libc::free(key.cast()) };
        Ok(text)
    }

    /// Whether both are references to one object.
    pub fn same_as(&self, other: &Object) -> bool {
        self.0 == other.0
    }

    /// The text of a `runtime.String`.
    ///
    /// # Errors
    ///
    /// The object is of another type.
    pub fn to_text(&self) -> Result<String> {
        self.expect_type("runtime.String")?;
        Function::get("runtime.GetFFIString")?
            .call(&[self.into()])?
            .try_into()
    }

    /// The elements of an `Array`.
    ///
    /// # Errors
    ///
    /// The object is of another type.
    pub fn to_vec(&self) -> Result<Vec<RetValue>> {
        self.expect_type("Array")?;
        let size: i64 = Function::get("runtime.ArraySize")?
            .call(&[self.into()])?
            .try_into()?;
        let item = Function::get("runtime.ArrayGetItem")?;
        (0..size)
            .map(|index| item.call(&[self.into(), index.into()]))
            .collect()
    }

    /// The keys and values of a `Map`, in no order that TVM promises.
    ///
    /// # Errors
    ///
    /// The object is of another type.
    pub fn to_pairs(&self) -> Result<Vec<(RetValue, RetValue)>> {
        self.expect_type("Map")?;
        let items: Object = Function::get("runtime.MapItems")?
            .call(&[self.into()])?
            .try_into()?;
        let mut pairs = Vec::new();
        let mut items = items.to_vec()?.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            pairs.push((key, value));
        }
        Ok(pairs)
    }

    /// The value that the object stands for: a boxed number becomes the number, a module a
    /// [`Module`](crate::Module), and so on; what stands for itself stays an object.
    pub fn to_value(&self) -> Result<RetValue> {
        RetValue::copy_of(&ArgValue::Object(self))
    }

    fn expect_type(&self, expected: &'static str) -> Result<()> {
        let found = self.type_key()?;
        if found == expected {
            Ok(())
        } else {
            Err(Error::Type {
                argument: None,
                expected,
                found,
            })
        }
    }
}

impl Clone for Object {
    fn clone(&self) -> Self {
        if let Ok(api) = api() {
            // SAFETY: the handle is alive; this counts the clone. It cannot fail: it is one atomic increment.
            unsafe { api.TVMObjectRetain(self.handle()) };
        }
        Self(self.0)
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Ok(api) = api() {
            // SAFETY: this reference is counted and given up once. TVMFuncFree and TVMModFree are this same function.
            unsafe { api.TVMObjectFree(self.handle()) };
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.type_key() {
            Ok(key) => write!(f, "Object({key})"),
            Err(_) => write!(f, "Object({:p})", self.handle()),
        }
    }
}
