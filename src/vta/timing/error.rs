//! What can stop the timing model.

use crate::vta::config::ConfigError;
use crate::vta::func::{ExecError, Head};
use crate::vta::isa::{DecodeError, InsnIndex, Module};
use std::fmt::{self, Display, Formatter};

/// Why a program has no time.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TimingError {
    /// A burst or clock that the geometry does not allow.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Bits that are no instruction.
    #[error("launch {launch}: {source}")]
    Decode {
        /// Which launch, from 0.
        launch: u32,
        /// What is wrong.
        source: DecodeError,
    },
    /// An instruction that cannot be executed.
    #[error("launch {launch}, instruction {index}: {source}")]
    Exec {
        /// Which launch, from 0.
        launch: u32,
        /// Which instruction.
        index: InsnIndex,
        /// What is wrong with it.
        source: ExecError,
    },
    /// Nothing can advance, and FINISH was not reached.
    #[error("launch {launch}: {deadlock}")]
    Deadlock {
        /// Which launch, from 0.
        launch: u32,
        /// Who waits for what.
        deadlock: Box<TimingDeadlock>,
    },
    /// A launch of more instructions than an index can number.
    #[error(
        "launch {launch} has {insns} instructions; at most {} can be numbered, split it",
        u32::MAX
    )]
    TooMany {
        /// Which launch, from 0.
        launch: u32,
        /// Its instructions.
        insns: usize,
    },
    /// An instruction that would end beyond the last cycle of the model.
    #[error(
        "launch {launch}, instruction {index} would end after cycle 2^60; no program takes that long"
    )]
    TooLong {
        /// Which launch, from 0.
        launch: u32,
        /// Which instruction.
        index: InsnIndex,
    },
}

/// A launch in which no module can advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimingDeadlock {
    /// Load, compute, store.
    pub modules: [Stuck; 3],
    /// Tokens in the queues, in the order of [`crate::vta::isa::Token::ALL`].
    pub tokens: [u8; 4],
    /// Fetch, if it cannot go on either.
    pub fetch: Option<FetchStall>,
}

/// Why one module does not advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stuck {
    /// It has executed all its instructions.
    Drained,
    /// The instruction at the head of its queue waits for tokens.
    Waiting(Head),
    /// Its queue is empty, but fetch has not reached its next instruction.
    NotFetched(Head),
}

/// Fetch stands before a full queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchStall {
    /// The instruction that does not fit.
    pub index: InsnIndex,
    /// The module whose queue is full.
    pub module: Module,
    /// Instructions the queue holds.
    pub depth: usize,
}

impl Display for TimingDeadlock {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("deadlock before FINISH")?;
        for (module, stuck) in Module::ALL.into_iter().zip(&self.modules) {
            match stuck {
                Stuck::Drained => write!(f, "; {module} has no instruction left")?,
                Stuck::Waiting(head) => {
                    let tokens: Vec<&str> = head.waits_for.iter().map(|t| t.name()).collect();
                    let tokens = tokens.join(" and ");
                    let (index, text) = (head.index, &head.text);
                    write!(f, "; {module} waits for {tokens} at {index} `{text}`")?;
                }
                Stuck::NotFetched(head) => {
                    let (index, text) = (head.index, &head.text);
                    write!(f, "; {module} waits for fetch to reach {index} `{text}`")?;
                }
            }
        }
        if let Some(stall) = self.fetch {
            let (index, module, depth) = (stall.index, stall.module, stall.depth);
            write!(
                f,
                "; fetch is stuck at {index} because the {module} queue holds {depth} instructions; give it earlier what it waits for"
            )?;
        } else if self.modules.iter().all(|stuck| *stuck == Stuck::Drained) {
            f.write_str("; add a finish instruction")?;
        }
        Ok(())
    }
}
