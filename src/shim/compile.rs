//! Compiling, and the cache.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::NamedTempFile;

use super::error::ShimError;
use super::plan::{FLAGS, Headers};

/// A shared library of one C++ source.
pub(crate) struct Unit<'a> {
    /// What its file is called, without the key.
    pub name: &'static str,
    /// What messages call it.
    pub what: &'static str,
    /// The source.
    pub source: &'static str,
    /// Headers that are written beside the source and looked for last: path and text.
    pub headers: &'a [(&'a str, &'a str)],
    /// Further arguments, the libraries to link with at their end.
    pub arguments: Vec<String>,
}

impl Unit<'_> {
    /// The library for these headers; compiled if the cache has none under its key.
    ///
    /// Without a cache, the file is gone when the answer is dropped.
    ///
    /// # Errors
    /// [`ShimError`] if it cannot be made.
    pub(crate) fn library(&self, headers: &Headers, key: &str) -> Result<Library, ShimError> {
        let Some(folder) = cache() else {
            let file = self.compile(headers, &std::env::temp_dir())?;
            return Ok(Library::Temporary(file));
        };
        let cached = folder.join(format!("{}-{key}.so", self.name));
        if !cached.is_file() {
            // Another process may do the same: each writes a file of its own, and the last one stays.
            let file = self.compile(headers, &folder)?;
            file.persist(&cached)
                .map_err(|error| error.error)
                .map_err(ShimError::io(cached.display()))?;
        }
        Ok(Library::Cached(cached))
    }

    /// Whether the cache has it.
    pub(crate) fn is_cached(&self, key: &str) -> bool {
        cache().is_some_and(|folder| folder.join(format!("{}-{key}.so", self.name)).is_file())
    }

    fn compile(&self, headers: &Headers, folder: &Path) -> Result<NamedTempFile, ShimError> {
        let place = || folder.display().to_string();
        let sources = tempfile::Builder::new()
            .prefix("arco-")
            .tempdir_in(folder)
            .map_err(ShimError::io(place()))?;
        let source = sources.path().join(format!("{}.cc", self.name));
        let write = |path: &Path, text: &str| {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(path, text)
        };
        write(&source, self.source).map_err(ShimError::io(place()))?;
        for (path, text) in self.headers {
            write(&sources.path().join(path), text).map_err(ShimError::io(place()))?;
        }
        let library = tempfile::Builder::new()
            .prefix(self.name)
            .suffix(".so")
            .tempfile_in(folder)
            .map_err(ShimError::io(place()))?;
        let compilers: Vec<OsString> = match std::env::var_os("CXX").filter(|cxx| !cxx.is_empty()) {
            Some(cxx) => vec![cxx],
            None => ["c++", "g++", "clang++"].map(OsString::from).into(),
        };
        for compiler in &compilers {
            let mut command = Command::new(compiler);
            command.args(FLAGS).args(headers.arguments());
            command.arg("-o").arg(library.path()).arg(&source);
            command.arg(format!("-I{}", sources.path().display()));
            command.args(&self.arguments);
            match command.output() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(ShimError::io(compiler.display())(error)),
                Ok(output) if output.status.success() => return Ok(library),
                Ok(output) => {
                    let text = String::from_utf8_lossy(&output.stderr);
                    return Err(ShimError::Compile {
                        compiler: compiler.display().to_string(),
                        what: self.what,
                        text: text.lines().take(20).collect::<Vec<_>>().join("\n"),
                    });
                }
            }
        }
        let tried = compilers
            .iter()
            .map(|compiler| compiler.display().to_string())
            .collect();
        Err(ShimError::NoCompiler {
            what: self.what,
            tried,
        })
    }
}

/// A compiled library.
pub(crate) enum Library {
    /// In the user's cache.
    Cached(PathBuf),
    /// Nowhere to keep it.
    Temporary(NamedTempFile),
}

impl Library {
    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Cached(path) => path,
            Self::Temporary(file) => file.path(),
        }
    }

    /// Its file, which stays: other processes load it.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub(crate) fn keep(self) -> Result<PathBuf, ShimError> {
        match self {
            Self::Cached(path) => Ok(path),
            Self::Temporary(file) => {
                let place = file.path().display().to_string();
                let kept = file
                    .keep()
                    .map_err(|error| ShimError::io(place)(error.error))?;
                Ok(kept.1)
            }
        }
    }
}

/// The headers of a TVM: those that `ARCO_TVM_INCLUDE` names, or those beside the library. `None` if there are none.
///
/// # Errors
/// When the variable names something else.
pub(crate) fn headers_of(libtvm: &Path) -> Result<Option<Headers>, ShimError> {
    if let Some(include) = std::env::var_os("ARCO_TVM_INCLUDE").filter(|name| !name.is_empty()) {
        let include = PathBuf::from(include);
        let headers = Headers::of_include(&include).ok_or(ShimError::BadInclude { include })?;
        return Ok(Some(headers));
    }
    // A wheel has its headers beside the library; a source tree has its libraries in `build` or `build/lib`.
    let roots = libtvm.ancestors().skip(1).take(3);
    Ok(roots.filter_map(Headers::in_root).next())
}

/// This user's folder for what can be made again; `None` if it cannot be made.
fn cache() -> Option<PathBuf> {
    let folder = match std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => {
            PathBuf::from(std::env::var_os("HOME").filter(|home| !home.is_empty())?).join(".cache")
        }
    };
    let folder = folder.join("arco-tvm");
    std::fs::create_dir_all(&folder).ok()?;
    // A folder that cannot be written to is no place, either.
    NamedTempFile::new_in(&folder).ok()?;
    Some(folder)
}
