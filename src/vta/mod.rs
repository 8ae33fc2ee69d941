//! The VTA accelerator that TVM 0.19 has no more: geometry, instruction set, functional model, timing model, runtime, resources.
//!
//! What it is not: a compiler. Programs come from TVM's generated code through [`runtime`], or from files through
//! [`program`]. The geometry is a run-time value everywhere; nothing here is fixed at compile time.
//!
//! The types to know first: [`config::Geometry`] (what the machine looks like), [`isa::Insn`] and [`isa::Uop`] (what it
//! executes), [`program::Program`] (a file of both with the memory they need).

mod buffer;
pub mod c_api;
pub mod config;
pub mod draft;
pub mod func;
pub mod fuzzing;
pub mod generate;
pub mod isa;
pub mod lowered;
pub mod packed_conv;
pub mod packed_dense;
pub mod packed_group_conv;
pub mod packed_transposed_conv;
pub mod program;
pub mod resources;
pub mod run;
pub mod runtime;
pub mod timing;
pub mod trace;
