//! Who answers: builders that make libraries of candidates, and devices that run them, over TVM's RPC.

mod attributes;
mod build;
mod candidate;
mod cores;
mod device;
mod failure;
mod peer;
mod pipeline;
mod python_host;
mod recall;
pub mod recorded;
mod server;
mod sharing;
mod tracker;

pub use attributes::GpuAttributes;
pub use build::{ArgumentSpec, BuildOptions, Builder, Built};
pub use candidate::{Candidate, Measurement};
pub use cores::CoreSet;
pub use device::{MeasureDevice, RunOptions};
pub use failure::Failure;
pub use peer::{CallError, Endpoint, MOST_SESSIONS, Peer, PeerError};
pub use pipeline::{Pipeline, PipelineOptions, TrialId};
pub use python_host::{ChosenBy, HostError, PythonHost};
pub use server::{LocalServer, Role, ServerError, library_of_servers};
pub use sharing::CoreSharing;
pub use tracker::{DeviceTurn, Tracker, TrackerAddress, TrackerError};
