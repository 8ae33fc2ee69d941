//! Who answers: builders that make libraries of candidates, and devices that run them, over TVM's RPC.

mod build;
mod device;
mod failure;
mod peer;
mod pool;
mod python_host;
mod server;
mod tracker;

pub use build::{ArgumentSpec, BuildOptions, Builder, Built};
pub use device::{MeasureDevice, RunOptions};
pub use failure::Failure;
pub use peer::{CallError, Endpoint, Peer, PeerError};
pub use pool::{Candidate, Measurement, Pool, PoolOptions};
pub use python_host::{ChosenBy, HostError, PythonHost};
pub use server::{LocalServer, Role, ServerError};
pub use tracker::{DeviceTurn, Tracker, TrackerAddress, TrackerError};
