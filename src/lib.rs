//! arco-tvm: an autotuner for TVM 0.19 that chooses configurations of TVM's own task templates.

pub mod agents;
pub mod asktell;
pub mod cli;
pub mod codesign;
mod ext_dev;
pub mod frontend;
pub mod measure;
mod opencl;
mod python;
pub mod record;
pub mod replay;
pub mod sampling;
pub mod seed;
mod shim;
pub mod strategy;
pub mod surrogate;
pub mod task;
pub mod transfer;
pub mod tuning;
pub mod vta;
