//! Where the data of two operators meet.

use serde::Deserialize;

/// Two operators whose data meet: a layout on which they disagree costs a transformation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Link {
    /// Position of a task: it writes.
    pub first: usize,
    /// Position of a task: it reads what the first writes, or writes what is joined with it.
    pub second: usize,
    /// Whether an elementwise operator joins the outputs of both.
    pub join: bool,
    /// Bytes of the data.
    pub bytes: u64,
    /// Occurrences in the network.
    pub count: u32,
}
