//! How C++ is compiled against a TVM's headers: the same at build time (build.rs) and at run time (src/shim).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

/// The device `ext_dev`: the C++ that TVM's virtual classes need.
pub const EXT_DEV: &str = include_str!("ext_dev.cc");

/// What g++ and clang++ are told, besides where the headers are.
pub const FLAGS: [&str; 7] = [
    "-std=c++17",
    "-O2",
    "-fPIC",
    "-shared",
    "-w",
    "-DDMLC_USE_FOPEN64=0",
    "-DDMLC_USE_LOGGING_LIBRARY=<tvm/runtime/logging.h>",
];

/// The headers that decide the layout of what passes between TVM and the shim.
const LAYOUT: [&str; 10] = [
    "include/tvm/runtime/c_runtime_api.h",
    "include/tvm/runtime/container/optional.h",
    "include/tvm/runtime/container/string.h",
    "include/tvm/runtime/device_api.h",
    "include/tvm/runtime/module.h",
    "include/tvm/runtime/object.h",
    "include/tvm/runtime/packed_func.h",
    "include/tvm/runtime/profiling.h",
    "include/tvm/runtime/registry.h",
    "3rdparty/dlpack/include/dlpack/dlpack.h",
];

/// The folder that has TVM's `include` and `3rdparty`: a wheel's `tvm` folder, or a checkout.
pub struct Headers {
    root: PathBuf,
}

impl Headers {
    /// Beside an `include` folder.
    pub fn of_include(include: &Path) -> Option<Self> {
        Self::in_root(include.parent()?)
    }

    /// In a folder, if all that is needed is there.
    pub fn in_root(root: &Path) -> Option<Self> {
        let root = root.to_owned();
        LAYOUT
            .iter()
            .all(|header| root.join(header).is_file())
            .then_some(Self { root })
    }

    /// Arguments that name the folders.
    pub fn arguments(&self) -> Vec<String> {
        let root = self.root.display();
        let folders = [
            "include",
            "3rdparty/dlpack/include",
            "3rdparty/dmlc-core/include",
        ];
        folders
            .iter()
            .map(|folder| format!("-I{root}/{folder}"))
            // TVM's checks say in which header they stand: the same bytes wherever that header is.
            .chain([format!("-ffile-prefix-map={root}=tvm")])
            .collect()
    }

    /// The folder.
    #[allow(dead_code, reason = "not used at build time")]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A number that is another one if a source, the flags, the layout of TVM's classes or one of `files` below the
    /// folder differ.
    ///
    /// # Errors
    /// A header or file cannot be read.
    pub fn key(&self, source: &str, files: &[&str]) -> io::Result<u64> {
        let mut hasher = DefaultHasher::new();
        (source, FLAGS).hash(&mut hasher);
        for file in LAYOUT.iter().chain(files) {
            std::fs::read(self.root.join(file))?.hash(&mut hasher);
        }
        Ok(hasher.finish())
    }
}
