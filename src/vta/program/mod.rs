//! Programs in files: instructions, the memory they need, and what should come out.
//!
//! Three forms are read, each plain or gzipped: a JSON object with memory (`meta`, `runs`), a JSON object for timing only
//! (`insns` as one string, `uops`, `tokens_end`), and the text form of [`text`].

mod error;
mod load;
mod memory_json;
pub mod text;
mod timing_json;
mod write_json;

use super::config::{Geometry, Mem};
use super::isa::{self, DecodeError, Insn, RawInsn};
use serde::{Deserialize, Serialize};

pub use error::ProgramError;
pub use load::{MAX_BYTES, load, read};

/// The functional simulator's statistics under their original names (spec section 2): bytes moved without padding, and
/// micro-operations executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Bytes of LOAD INP.
    pub inp_load_nbytes: u64,
    /// Bytes of LOAD WGT.
    pub wgt_load_nbytes: u64,
    /// Bytes of LOAD ACC; ACC_8BIT counts the full accumulator bytes.
    pub acc_load_nbytes: u64,
    /// Bytes of LOAD UOP.
    pub uop_load_nbytes: u64,
    /// Bytes of STORE.
    pub out_store_nbytes: u64,
    /// Micro-operations of GEMM without reset.
    pub gemm_counter: u64,
    /// Micro-operations of ALU.
    pub alu_counter: u64,
}

impl Counters {
    /// Names and values, in the original's order.
    pub fn entries(&self) -> [(&'static str, u64); 7] {
        [
            ("inp_load_nbytes", self.inp_load_nbytes),
            ("wgt_load_nbytes", self.wgt_load_nbytes),
            ("acc_load_nbytes", self.acc_load_nbytes),
            ("uop_load_nbytes", self.uop_load_nbytes),
            ("out_store_nbytes", self.out_store_nbytes),
            ("gemm_counter", self.gemm_counter),
            ("alu_counter", self.alu_counter),
        ]
    }

    /// The counter of that name.
    pub fn by_name(&mut self, name: &str) -> Option<&mut u64> {
        match name {
            "inp_load_nbytes" => Some(&mut self.inp_load_nbytes),
            "wgt_load_nbytes" => Some(&mut self.wgt_load_nbytes),
            "acc_load_nbytes" => Some(&mut self.acc_load_nbytes),
            "uop_load_nbytes" => Some(&mut self.uop_load_nbytes),
            "out_store_nbytes" => Some(&mut self.out_store_nbytes),
            "gemm_counter" => Some(&mut self.gemm_counter),
            "alu_counter" => Some(&mut self.alu_counter),
            _ => None,
        }
    }
}

/// Consecutive bytes of DRAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DramRow {
    /// Byte address of the first.
    pub addr: u64,
    /// What they are read as, where the file says.
    pub mem: Option<Mem>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// One launch of the accelerator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// Instructions in stream order.
    pub insns: Vec<RawInsn>,
    /// Memory to fill in before the launch.
    pub dram_in: Vec<DramRow>,
    /// Memory to find after it.
    pub dram_out: Vec<DramRow>,
}

/// What a file says should come out, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Statistics summed over all launches.
    pub counters: Option<Counters>,
    /// Tokens left in the queues, in the order of [`isa::Token::ALL`].
    pub tokens_end: Option<[u64; 4]>,
    /// Cycles of all launches by longest burst in beats.
    pub cycles: Vec<(u32, u64)>,
    /// Text of the error that stops the program.
    pub error: Option<String>,
}

/// A program with its geometry and memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// What the file calls it; empty if it doesn't.
    pub name: String,
    /// The machine it is for.
    pub geometry: Geometry,
    /// Its launches in order; registers, buffers and tokens persist between them.
    pub launches: Vec<Launch>,
    /// True if the file holds no data but micro-operations: memory that is not in `dram_in` reads as zero then.
    pub timing_only: bool,
    /// What should come out.
    pub expected: Expected,
}

impl Program {
    /// All instructions of a launch, decoded.
    ///
    /// # Errors
    /// [`DecodeError::At`] for the first that is none; an absent launch has no instructions.
    pub fn decode(&self, launch: usize) -> Result<Vec<Insn>, DecodeError> {
        self.launches.get(launch).map_or(Ok(Vec::new()), |launch| {
            isa::decode_program(&launch.insns, &self.geometry)
        })
    }

    /// Instructions of all launches.
    pub fn insn_count(&self) -> usize {
        self.launches.iter().map(|launch| launch.insns.len()).sum()
    }
}
