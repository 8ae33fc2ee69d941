//! arco-tvm: an autotuner for TVM 0.19 that chooses configurations of TVM's own task templates.
pub mod vta;
