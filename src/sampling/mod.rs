//! What is worth measuring: a batch out of what the agents found.

mod confidence;
mod synthesis;

pub use confidence::{
    Candidate, Chosen, ConfidenceConstants, Origin, confident_pool, draw, top_batch,
};
pub use synthesis::Frequencies;
