//! The main job end to end, with real TVM and real RPC: tune a small network for this machine's CPU, and let AutoTVM
//! and TVM's compiler take the log.

#[path = "../support/mod.rs"]
mod support;

mod autotvm;
mod failures;
mod interrupted;
mod record;
mod resume;
mod session;
mod tracker;
mod tuned;
