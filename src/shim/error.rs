//! Why C++ for a TVM is not to be had.

use std::io;
use std::path::PathBuf;

/// Why it could not be compiled or opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShimError {
    #[error(
        "this libarco_tvm.so was built without a TVM, and the headers of {libtvm} are not beside it; set \
         ARCO_TVM_INCLUDE to the `include` folder of its sources"
    )]
    NoHeaders { libtvm: PathBuf },
    #[error(
        "ARCO_TVM_INCLUDE={include} does not name TVM's headers; it must have tvm/runtime, and ../3rdparty beside it"
    )]
    BadInclude { include: PathBuf },
    #[error("{what} must be compiled for this TVM, and {file} of its sources is not below {root}")]
    NoSources {
        what: &'static str,
        file: &'static str,
        root: PathBuf,
    },
    #[error("there is no OpenCL loader on this machine ({library})")]
    NoLoader { library: &'static str },
    #[error(
        "{what} must be compiled for this TVM, and none of {} is there; install g++, or set CXX",
        tried.join(", ")
    )]
    NoCompiler {
        what: &'static str,
        tried: Vec<String>,
    },
    #[error("{compiler} cannot compile {what}: {text}")]
    Compile {
        compiler: String,
        what: &'static str,
        text: String,
    },
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error(transparent)]
    Load(#[from] tvm_rt::Error),
}

impl ShimError {
    /// What to do next.
    pub(crate) const fn hint(&self) -> &'static str {
        match self {
            Self::NoLoader { .. } => {
                "install the driver of your GPU, or PoCL, which runs OpenCL on the CPU (Debian: apt install \
                 pocl-opencl-icd ocl-icd-libopencl1)"
            }
            Self::NoCompiler { .. } => "Debian: apt install g++",
            Self::NoHeaders { .. } | Self::NoSources { .. } | Self::BadInclude { .. } => {
                "use a TVM whose sources are there (the wheel that `make venv` installs has them), or one that was \
                 built with OpenCL"
            }
            Self::Compile { .. } | Self::Io { .. } | Self::Load(_) => "",
        }
    }

    /// Turns what the system says into one of these.
    pub(crate) fn io(what: impl std::fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            what: what.to_string(),
            source,
        }
    }
}
