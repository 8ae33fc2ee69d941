//! What is asked of the Python that hosts TVM: models, targets, tasks, whole networks.

mod client;
mod filter;
mod model;

pub use client::{
    ExtractedTasks, Frontend, FrontendError, HostVersion, Layer, NetworkTimes, Verified,
    VerifyRequest,
};
pub use model::{InputShape, ModelDetails, ModelSpec};
