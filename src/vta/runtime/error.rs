//! What can go wrong between a compiled kernel and the accelerator.

use crate::vta::func::FuncError;
use crate::vta::isa::EncodeError;
use crate::vta::timing::TimingError;

/// A call that the runtime cannot carry out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RuntimeError {
    /// No device memory left.
    #[error("{bytes} bytes of device memory are not to be had: {in_use} of {limit} are in use")]
    OutOfMemory {
        /// What was asked for.
        bytes: usize,
        /// Bytes allocated so far, pages counted whole.
        in_use: u64,
        /// Bytes there are.
        limit: u64,
    },
    /// A pointer that no device buffer contains.
    #[error("{0:#x} lies in no device buffer; was it freed, or is it a host pointer?")]
    UnknownBuffer(usize),
    /// A range that leaves its buffer.
    #[error("bytes {offset}..+{bytes} leave the device buffer of {size}")]
    BufferRange {
        /// First byte.
        offset: usize,
        /// Number of bytes.
        bytes: usize,
        /// Bytes of the buffer.
        size: usize,
    },
    /// A buffer that does not start at a whole element.
    #[error("the device address {addr:#x} is no multiple of the {elem_bytes}-byte {mem} element")]
    Alignment {
        /// Physical address.
        addr: u64,
        /// Bytes of an element.
        elem_bytes: usize,
        /// Memory type.
        mem: crate::vta::isa::Mem,
    },
    /// A number that its instruction field cannot hold.
    #[error("{what} = {value} does not fit its instruction field")]
    Field {
        /// Parameter name.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// An instruction or micro-operation that this geometry cannot encode.
    #[error("{0}; the kernel was compiled for another geometry")]
    Encode(#[from] EncodeError),
    /// A memory type that is none.
    #[error("memory type {0} is not one of 0..=5")]
    Mem(u32),
    /// Tokens exist between neighbours only.
    #[error("no token can go from stage {from} to stage {to}; load 1, compute 2, store 3")]
    Token {
        /// Giving stage.
        from: i32,
        /// Taking stage.
        to: i32,
    },
    /// A closure that selects a kernel must be nothing or one small integer.
    #[error(
        "a kernel's closure of {bytes} bytes (value {value:?}) is not supported; 0 bytes or an int32 in 0..=98 is"
    )]
    Closure {
        /// Size of the closure.
        bytes: usize,
        /// Its value, if it is an int32.
        value: Option<i32>,
    },
    /// A micro-operation kernel that cannot be recorded.
    #[error("micro-operation kernel: {0}")]
    Kernel(#[from] KernelError),
    /// A kernel that is bigger than the buffer.
    #[error("a kernel of {uops} micro-operations exceeds the buffer of {depth}; use smaller tiles")]
    KernelSize {
        /// Its micro-operations.
        uops: usize,
        /// Micro-operations the buffer has.
        depth: usize,
    },
    /// A call that records, outside of recording, or the other way round.
    #[error("{0}")]
    Protocol(&'static str),
    /// A file that is no kernel.
    #[error("no kernel can be read from {0}")]
    Unreadable(String),
    /// The launch failed.
    #[error("launch: {0}")]
    Launch(#[from] FuncError),
    /// The launch has no time.
    #[error("timing of the {0}")]
    Timing(#[from] TimingError),
    /// The geometry cannot change while instructions wait.
    #[error("{insns} instructions are still queued; synchronise before changing the geometry")]
    Busy {
        /// Instructions in the queue.
        insns: usize,
    },
    /// A geometry that is none.
    #[error(transparent)]
    Config(#[from] crate::vta::config::ConfigError),
    /// The callback that records a kernel failed.
    #[error("the function that records a kernel returned {0}")]
    Callback(i32),
    /// A panic that was stopped at the C boundary: a bug in the runtime.
    #[error("internal error: {0}")]
    Internal(String),
}

/// A micro-operation kernel that cannot be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// The instruction has two loops.
    #[error("more than two loops")]
    Loops,
    /// Loops come before micro-operations.
    #[error("a loop begins after the first micro-operation")]
    LateLoop,
    /// Ends without beginnings, or the other way round.
    #[error("loop begins and ends do not match: {begins} and {ends}")]
    Unbalanced {
        /// Loops begun.
        begins: usize,
        /// Loops ended.
        ends: usize,
    },
    /// All micro-operations share what the instruction holds once.
    #[error(
        "micro-operation {index} has another mode, reset, operation or immediate than the first"
    )]
    Mixed {
        /// Which one, from 0.
        index: usize,
    },
    /// The pipeline has no bypass (spec section 3).
    #[error(
        "micro-operation {index} writes dst {dst} as one of the two before it does; use larger tiles (tile_h * tile_co >= 3)"
    )]
    DstConflict {
        /// Which one, from 0.
        index: usize,
        /// The accumulator element.
        dst: u16,
    },
    /// Modes are GEMM 0 and ALU 1.
    #[error("mode {0} is neither GEMM 0 nor ALU 1")]
    Mode(u32),
    /// ALU operations are 0 to 4.
    #[error("ALU operation {0} is not one of 0..=4")]
    AluOp(u32),
    /// A number that its field cannot hold.
    #[error("{what} = {value} does not fit its field")]
    Field {
        /// Parameter name.
        what: &'static str,
        /// Its value.
        value: i64,
    },
    /// Nothing was recorded.
    #[error("no micro-operation was recorded")]
    Empty,
    /// GEMM pushed as ALU, or the other way round.
    #[error("the kernel is recorded for {recorded} but pushed as {pushed}")]
    Push {
        /// Mode of its micro-operations.
        recorded: &'static str,
        /// Mode of the instruction.
        pushed: &'static str,
    },
}
