//! C++ that is compiled for the TVM that is there, when it is first needed.
//!
//! Some of TVM can only be reached as C++: its virtual classes ([`crate::ext_dev`]), and the parts of its runtime that a
//! build of it left out ([`crate::opencl`]). What fits a TVM is told by a key: a hash of the source and of TVM's headers.
//! A compiled library is kept in the user's cache under its key.
//!
//! What it is not: how such a library is opened (ffi/).

mod compile;
mod error;
#[path = "../../ffi/shim/plan.rs"]
pub(crate) mod plan;

pub(crate) use compile::{Unit, headers_of};
pub(crate) use error::ShimError;
