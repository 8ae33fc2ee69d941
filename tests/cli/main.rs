//! What the program says when something is missing or wrong: the whole output of each case.
//!
//! `make bless` writes the snapshots anew; review the difference.

#[path = "../fleet/mod.rs"]
mod fleet;
#[path = "../support/mod.rs"]
mod support;

mod agents;
mod arguments;
mod doctor;
mod help;
mod installation;
mod log_file;
mod model;
mod replay;
mod scene;
mod target;
mod tracker;
mod vta;
