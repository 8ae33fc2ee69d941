//! VTA as TVM's device `ext_dev`: what is registered in the TVM of a process that loads `libarco_tvm.so`.
//!
//! The packed functions are Rust. Two things that TVM wants are C++ objects, the device and its timer: they are in a shared
//! library of their own ([`shim`]), which is opened when TVM first asks for the device.
//!
//! What it is not: the accelerator, which is in [`crate::vta`] and knows nothing of TVM.

mod device;
mod functions;
mod shim;

pub(crate) use functions::register;
