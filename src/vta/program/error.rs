//! What can be wrong with a program file.

use crate::vta::config::ConfigError;
use crate::vta::isa::text::ParseError;
use crate::vta::isa::{EncodeError, UOP_BYTES};

/// A file that is no program, and why.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A damaged gzip stream.
    #[error("gzip: {0}")]
    Gzip(std::io::Error),
    /// More than this reader takes.
    #[error("the file unpacks to more than {limit} bytes; split the program")]
    TooBig {
        /// The limit in bytes.
        limit: u64,
    },
    /// Not UTF-8.
    #[error("the file is neither JSON nor program text: byte {0} is not UTF-8")]
    Utf8(usize),
    /// Not the JSON that was expected.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A JSON object of neither form.
    #[error(
        "the JSON object has neither `runs` (program with memory) nor `insns` (timing-only program)"
    )]
    UnknownJson,
    /// Hex that is none.
    #[error("{place}: {reason}")]
    Hex {
        /// Field and position.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The geometry cannot be used.
    #[error("geometry: {0}")]
    Config(#[from] ConfigError),
    /// A row of micro-operations that is cut off.
    #[error("{place}: {bytes} bytes are no whole number of {UOP_BYTES}-byte micro-operations")]
    UopBytes {
        /// Field and position.
        place: String,
        /// Length of the row.
        bytes: usize,
    },
    /// An address range that leaves the 64-bit address space.
    #[error("{place}: address {addr:#x} plus {bytes} bytes overflows")]
    Address {
        /// Field and position.
        place: String,
        /// First byte.
        addr: u64,
        /// Length.
        bytes: usize,
    },
    /// A memory type of no meaning.
    #[error("{place}: memory type {mem} is not one of 0..=5")]
    Mem {
        /// Field and position.
        place: String,
        /// The number.
        mem: u64,
    },
    /// `insn_count` disagrees with the instructions.
    #[error("{place}: insn_count is {stated} but there are {found} instructions")]
    InsnCount {
        /// Field and position.
        place: String,
        /// What the file states.
        stated: u64,
        /// What it holds.
        found: usize,
    },
    /// A timing-only program that its JSON form cannot hold.
    #[error(
        "the timing-only JSON form holds one launch and micro-operations alone; drop `.timing_only` to use the form with memory"
    )]
    TimingForm,
    /// A line of program text that is not understood.
    #[error("line {line}: {reason}")]
    Text {
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// An instruction line that is not understood.
    #[error("line {line}: {source}")]
    Insn {
        /// From 1.
        line: usize,
        /// What is wrong.
        source: ParseError,
    },
    /// A value that its field cannot hold in this geometry.
    #[error("line {line}: {source}")]
    Encode {
        /// From 1.
        line: usize,
        /// What is wrong.
        source: EncodeError,
    },
}
