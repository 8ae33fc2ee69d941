//! What searches learn from one another: tasks of the same template, of this run or of earlier logs.

mod description;
mod knowledge;
mod prior;

pub use description::{DescribedSpace, Template, describe};
pub use knowledge::{Knowledge, TaskKnowledge};
pub use prior::Prior;
