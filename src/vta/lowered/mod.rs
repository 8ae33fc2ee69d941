//! Kernels that run without machine code.
//!
//! What TVM's lowering leaves of a kernel for the accelerator is a few loops around calls of the runtime. For a candidate
//! that is run twice and thrown away, LLVM and the linker take far longer than running it: so the loop nest itself is kept
//! ([`Lowered`]) and walked ([`Lowered::run`]). Instructions, time and results are those of the compiled kernel, because
//! the same runtime is called with the same numbers in the same order.
//!
//! [`Lowered::of_tvm_json`] makes one of what `tvm.ir.save_json` writes. A kernel that does anything else than call the
//! runtime (host code that reads memory, say) is refused, and has to be compiled.

mod expression;
mod read;
mod run;

use expression::Expression;
use serde::{Deserialize, Serialize};

pub use read::ReadError;
pub use run::Sites;

use super::runtime::UopMode;

/// The version of the format in a file.
const FORMAT: u32 = 1;

/// A kernel: its loop nest, and how many arguments, variables and call sites there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lowered {
    format: u32,
    arguments: usize,
    variables: usize,
    sites: usize,
    body: Statement,
}

/// One step of a kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Statement {
    Sequence(Vec<Statement>),
    For {
        variable: usize,
        first: Expression,
        extent: Expression,
        body: Box<Statement>,
    },
    If {
        condition: Expression,
        then: Box<Statement>,
        otherwise: Option<Box<Statement>>,
    },
    Let {
        variable: usize,
        value: Expression,
        body: Box<Statement>,
    },
    /// `VTALoadBuffer2D`: the argument that is read, and the other parameters in their order.
    Load(usize, [Expression; 10]),
    /// `VTAStoreBuffer2D`: the argument that is written, and the other parameters in their order.
    Store(usize, [Expression; 6]),
    DepPush(Expression, Expression),
    DepPop(Expression, Expression),
    Synchronize,
    /// `VTAPushGEMMOp` or `VTAPushALUOp`: the body records the micro-operations when this call site, with this value of the
    /// outer variable that it depends on, is met for the first time.
    Push {
        site: usize,
        mode: Mode,
        closure: Option<usize>,
        body: Box<Statement>,
    },
    UopLoopBegin([Expression; 4]),
    UopLoopEnd,
    UopPush([Expression; 8]),
}

/// Which unit a recorded kernel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Mode {
    Gemm,
    Alu,
}

impl From<Mode> for UopMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Gemm => UopMode::Gemm,
            Mode::Alu => UopMode::Alu,
        }
    }
}

impl Lowered {
    /// A kernel as [`Self::to_bytes`] wrote it.
    ///
    /// # Errors
    /// [`ReadError`] if it is none, or one of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        let lowered: Self = serde_json::from_slice(bytes)?;
        if lowered.format != FORMAT {
            return Err(ReadError::Version {
                found: lowered.format,
                known: FORMAT,
            });
        }
        lowered.check()?;
        Ok(lowered)
    }

    /// The kernel as a file. Kernels that do the same in the same way have the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Numbers, strings and lists have a JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// How many arguments the kernel takes.
    pub const fn arguments(&self) -> usize {
        self.arguments
    }
}
