//! Modules: libraries of functions, local or remote.

use std::fmt;
use std::path::Path;

use crate::error::{Error, Result, check};
use crate::function::Function;
use crate::object::Object;
use crate::pack::c_string;
use crate::tvm::api;

/// A module of TVM: compiled code, source, or the far end of an RPC session.
#[derive(Clone)]
#[repr(transparent)]
pub struct Module(Object);

impl Module {
    pub(crate) fn from_object(object: Object) -> Self {
        Self(object)
    }

    /// The module as an object.
    pub fn as_object(&self) -> &Object {
        &self.0
    }

    /// The module as an object.
    pub fn into_object(self) -> Object {
        self.0
    }

    /// Loads a module from a file whose ending tells its format, such as `.so`.
    ///
    /// # Errors
    ///
    /// There is no such file, or no loader for it.
    pub fn load(path: &Path) -> Result<Self> {
        Self::load_from_file(path, "")
    }

    /// Loads a module from a file in a named format; an empty format stands for the file's ending.
    ///
    /// # Errors
    ///
    /// There is no such file, or no loader for it.
    pub fn load_from_file(path: &Path, format: &str) -> Result<Self> {
        // The packed function and not TVMModLoadFromFile, so that imported modules are there as well.
        let path = path.to_string_lossy();
        Function::get("runtime.ModuleLoadFromFile")?
            .call(&[path.as_ref().into(), format.into()])?
            .try_into()
    }

    /// The function `name`; with `query_imports` the modules that this one imports are asked too.
    ///
    /// # Errors
    ///
    /// There is no such function, or the module failed to look for it.
    pub fn get_function(&self, name: &str, query_imports: bool) -> Result<Function> {
        match self.find_function(name, query_imports)? {
            Some(function) => Ok(function),
            None => Err(Error::NoSuchModuleFunction {
                module: self.type_key()?,
                name: name.to_owned(),
            }),
        }
    }

    /// As [`Module::get_function`], with `None` for a function that is not there.
    ///
    /// # Errors
    ///
    /// The module failed to look for it.
    pub fn find_function(&self, name: &str, query_imports: bool) -> Result<Option<Function>> {
        let api = api()?;
        let name = c_string(name)?;
        let mut handle = std::ptr::null_mut();
        // SAFETY: the module is alive, the name NUL-terminated, and `handle` a place for a handle.
        check(api, unsafe {
            api.TVMModGetFunction(
                self.0.handle(),
                name.as_ptr(),
                i32::from(query_imports),
                &mut handle,
            )
        })?;
        // SAFETY: NULL, or a function whose reference TVM counted for us.
        Ok(unsafe { Function::from_owned(handle) })
    }

    /// What kind of module it is, such as `library` or `rpc`.
    pub fn type_key(&self) -> Result<String> {
        Function::get("runtime.ModuleGetTypeKey")?
            .call(&[self.into()])?
            .try_into()
    }

    /// Its source code in a format; an empty format stands for the module's own.
    pub fn source(&self, format: &str) -> Result<String> {
        Function::get("runtime.ModuleGetSource")?
            .call(&[self.into(), format.into()])?
            .try_into()
    }

    /// The modules that it imports.
    pub fn imports(&self) -> Result<Vec<Module>> {
        let size: i64 = Function::get("runtime.ModuleImportsSize")?
            .call(&[self.into()])?
            .try_into()?;
        let get = Function::get("runtime.ModuleGetImport")?;
        (0..size)
            .map(|index| get.call(&[self.into(), index.into()])?.try_into())
            .collect()
    }

    /// Makes this module import another.
    ///
    /// # Errors
    ///
    /// The modules would import each other in a circle.
    pub fn import(&mut self, other: &Module) -> Result<()> {
        let api = api()?;
        // SAFETY: both modules are alive.
        check(api, unsafe {
            api.TVMModImport(self.0.handle(), other.0.handle())
        })
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.type_key() {
            Ok(key) => write!(f, "Module({key})"),
            Err(_) => write!(f, "Module({:p})", self.0.handle()),
        }
    }
}
