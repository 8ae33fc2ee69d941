//! Ask and tell over a pipe: a program in any language describes its space, and is told what to try next.
//!
//! One JSON object a line; docs/reference/asktell.md has the protocol. A [`Session`] is the search behind it: it takes a
//! message in and says what to answer, and knows nothing of pipes.

mod message;
mod session;
mod space;

pub use message::{Answer, ConfigName, Message, Status, TellResult};
pub use session::{AskTellError, Session};
pub use space::SpaceMessage;
