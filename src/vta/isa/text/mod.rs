//! The readable form of instructions, one a line.
//!
//! ```text
//! load.inp sram=0 dram=0x100 y=8 x=8 stride=8 pad=1,1,1,1 <compute >compute
//! load.uop sram=0 dram=0x1c00 y=1 x=4 stride=4
//! gemm uops=0..4 outer=8 inner=3 dst=1,0 src=1,1 wgt=0,1 <load >store
//! gemm.reset uops=0..1 outer=8 inner=1 dst=1,0 src=0,0 wgt=0,0
//! alu.shr uops=0..1 outer=1 inner=64 dst=0,1 src=0,1 imm=8
//! alu.max uops=0..1 outer=1 inner=64 dst=0,1 src=0,1
//! store.out sram=0 dram=0x3c00 y=8 x=8 stride=8 <compute >compute
//! nop.load >compute
//! finish
//! ```
//!
//! `<m` waits for a token of module `m`, `>m` gives it one. Pairs are outer,inner steps; `pad` is top,bottom,left,right.
//! What is zero may be left out, and so may `outer=1`, `inner=1`. Text after `;` is a comment.

mod parse;
mod print;

pub use parse::{ParseError, parse_insn};

/// Text up to the comment, trimmed.
pub(crate) fn strip_comment(line: &str) -> &str {
    line.split_once(';').map_or(line, |(code, _)| code).trim()
}

/// A number in decimal or, after `0x`, hexadecimal.
pub(crate) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
