//! The pipeline and the program with real servers: long runs, faults, and ends that come early.

#[path = "../fleet/mod.rs"]
mod fleet;
#[path = "../support/mod.rs"]
mod support;

mod endurance;
mod faults;
mod full_disk;
mod interrupted;
mod killed;
mod loopback;
mod lost;
mod repeated;
mod tuner;
