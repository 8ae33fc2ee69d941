//! Programs as text, for people and file tests.
//!
//! ```text
//! .program sum                      ; optional
//! .config 1x16_i8w8a32_15_15_18_17  ; a geometry's name, or its model
//! .data acc 0x1000                  ; bytes of DRAM before the launch; the memory type is optional
//!   00000000 01000000 ...
//! .uops 0x2000                      ; the same as micro-operations: dst,src,wgt
//!   0,1,0
//! .code                             ; instructions, see `isa::text`; `raw 0x<32 digits>` for any 128 bits
//!   load.uop dram=0x800 y=1 x=1 stride=1
//!   finish
//! .launch                           ; what follows belongs to the next launch
//! ;! gemm_counter 0                 ; expectations: counters,
//! ;! tokens 0 0 0 0                 ; tokens left (order of `isa::Token::ALL`),
//! ;! dram 0x3000 00ff               ; memory after the launch so far last begun,
//! ;! cycles burst=16 25             ; cycles of all launches,
//! ;! error deadlock                 ; a part of the error's text
//! ```
//!
//! `.timing_only` says that memory outside `.data` and `.uops` reads as zero.

mod parse;
mod print;

pub use parse::parse;
pub use print::{disassemble, expectations, print};
