//! Who chooses: three agents that move a task's knobs, and a critic that judges where they stand.
//!
//! Multi-agent PPO after ARCO (arXiv 2407.08192): training is central (one critic sees everything), execution is not
//! (an actor sees its own knobs, the task's shape and the budget). What the paper leaves open is chosen here and named
//! where it is chosen.
//!
//! - [`Role`] and [`role_of`]: which agent owns which knob.
//! - [`Axis`]: how a knob is moved, one step at a time.
//! - [`Environment`]: configurations as states, joint moves as actions; many walks at once.
//! - [`Team`]: the actors and the critic, and how they learn (PPO).
//! - [`explore`]: walks of a team over an environment, with what it learned from them.

mod actor;
mod axis;
mod constants;
mod critic;
mod environment;
mod exploration;
mod gae;
mod network;
mod observation;
mod ownership;
mod team;

pub use axis::{Axis, Move};
pub use constants::TeamConstants;
pub use environment::{Environment, Scene, Walks};
pub use exploration::{ExplorationError, Explored, Landscape, Standing, explore};
pub use gae::advantages;
pub use observation::{GLOBAL_WIDTH, LOCAL_WIDTH, SLOTS, ShapeFeatures};
pub use ownership::{Ownership, Role, role_of};
pub use team::Team;
