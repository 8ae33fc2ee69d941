//! Why a file is no recorded space.

use std::path::PathBuf;

use crate::task::{ConditionError, KnobError, SpaceError};

/// Why a recorded space cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is in none of the formats.
    #[error("{path} is no recorded space: {reason}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of conditions cannot be used.
    #[error("{path} has no conditions that can be used: {reason}", path = path.display())]
    Conditions {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to choose from.
    #[error("{name}: no configuration is recorded")]
    Empty {
        /// The space.
        name: String,
    },
    /// A knob or the product of knobs cannot be made.
    #[error("{name}: {source}")]
    Knob {
        /// The space.
        name: String,
        /// What is wrong.
        source: KnobError,
    },
    /// The space cannot be made, or a recorded configuration is not in it.
    #[error("{name}: {source}")]
    Space {
        /// The space.
        name: String,
        /// What is wrong.
        source: SpaceError,
    },
    /// A condition cannot be parsed or has no answer.
    #[error("{name}: {source}")]
    Condition {
        /// The space.
        name: String,
        /// What is wrong.
        source: ConditionError,
    },
    /// A configuration ran although the masks refuse it.
    #[error(
        "{name}: {count} recorded configurations ran although {masks} refuse them, the first is {first}"
    )]
    Masked {
        /// The space.
        name: String,
        /// What refuses them.
        masks: String,
        /// How many.
        count: usize,
        /// The values of the first one.
        first: String,
    },
    /// Without masks the whole product would be open, and it is too large to be counted.
    #[error(
        "{name}: without masks the space has {configurations} configurations, too many to count the refused ones"
    )]
    TooLarge {
        /// The space.
        name: String,
        /// Number of configurations, refused or not.
        configurations: u64,
    },
}
