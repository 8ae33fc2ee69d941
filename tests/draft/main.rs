//! Drafts against what TVM's programs are and cost.

mod golden;
mod spaces;
#[path = "../support/mod.rs"]
mod support;
mod tvm;
