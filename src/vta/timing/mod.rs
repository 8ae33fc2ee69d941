//! The timing model: how many cycles a program takes on the hardware, and where they go.
//!
//! Event-driven, at the grain of an instruction and of a memory request; no data. It follows the published RTL with its
//! 64-bit bus cycle by cycle ("How exact" below); what the RTL does not have (other buses, BLOCK_IN != BLOCK_OUT, MUL,
//! ACC_8BIT, batches in the ALU) follows the same rules without a reference.
//!
//! # The machine
//!
//! *Fetch* reads instructions in batches of one longest burst, hands one a cycle to the queue of its module (512 entries
//! each), and asks for the next batch when the last is handed out. An instruction keeps its place in the queue until it
//! has ended; if a queue is full, fetch stands still, whatever comes behind.
//!
//! *Load*, *compute* and *store* execute one instruction at a time, in order, when the tokens it takes are there.
//!
//! *Reads* go through one port: each client (fetch, uop, inp, wgt, acc) has a queue of one request, an arbiter takes the
//! first of that order, at most one a cycle, none in the cycle of a last beat, at most 16 under way; the memory serves
//! them in order, one beat a cycle, after a delay that only a request to an empty queue pays. *Writes* have a channel of
//! their own.
//!
//! The numbers are in [`Rules`], with their sources. [`TimingModel`] holds what persists between launches (the tokens);
//! [`Observer`] sees every instruction and request, and costs nothing when it is `()`.
//!
//! # How exact
//!
//! All micro-benchmarks and all RTL records of the golden data (BLOCK 8, 16 and 32) agree to the cycle, and every memory
//! request of the three traces agrees in cycle, address, length and tag.
//!
//! What first looked like a race between fetch and loads was three plain rules: an instruction leaves its queue when it
//! ends and not when it starts, so queues do fill, and a full one stops fetch; a request that is taken in the very cycle
//! in which the memory takes the last one out of its queue finds that queue not empty, and pays no delay; and zeros are
//! written in buffer order ([`Rules`], `padding.rs`).

mod account;
mod bound;
mod burst;
mod engine;
mod error;
mod model;
mod module;
mod observer;
mod padding;
mod port;
mod report;
mod rules;
mod tokens;

pub use bound::Bound;
pub use burst::{Burst, Bursts};
pub use error::{FetchStall, Stuck, TimingDeadlock, TimingError};
pub use model::{LaunchTiming, TimingModel, TimingOptions, simulate, simulate_with};
pub use observer::{Executed, Observer, ReadRequest, WaitReason, WriteRequest};
pub use report::{ClassTiming, MemoryTraffic, ModuleTiming, TimingReport};
pub use rules::{Cost, InsnClass, ReadClient, Rules};
