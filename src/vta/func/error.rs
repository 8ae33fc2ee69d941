//! What can stop a launch.

use super::DramError;
use crate::vta::isa::{InsnIndex, Mem, Module, Token};
use std::fmt::{self, Display, Formatter};

/// What an instruction cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecError {
    /// A copy that leaves its buffer.
    #[error("{mem} elements {first}..{} leave the {mem} buffer of {depth}", first + count)]
    SramRange {
        /// Which buffer.
        mem: Mem,
        /// First element.
        first: u64,
        /// Elements, padding included.
        count: u64,
        /// Elements the buffer has.
        depth: usize,
    },
    /// A copy that leaves DRAM.
    #[error("row {row}: {source}")]
    Dram {
        /// Row of the copy, from 0.
        row: u32,
        /// What is wrong with its address.
        source: DramError,
    },
    /// LOAD into a memory that cannot be loaded.
    #[error("the {0} buffer cannot be loaded; uop, wgt, inp, acc and acc8 can")]
    LoadMem(Mem),
    /// STORE from a memory that cannot be stored.
    #[error("STORE of {0} is not possible; only out is")]
    StoreMem(Mem),
    /// Micro-operations beyond the buffer.
    #[error("micro-operations {bgn}..{end} leave the buffer of {depth}")]
    UopRange {
        /// First micro-operation.
        bgn: u16,
        /// One past the last.
        end: u16,
        /// Micro-operations the buffer has.
        depth: usize,
    },
    /// An index that some iteration takes beyond its buffer.
    #[error("{operand} reaches {mem} element {reached}; the buffer has {depth}")]
    Index {
        /// `dst`, `src` or `wgt`.
        operand: &'static str,
        /// Which buffer.
        mem: Mem,
        /// Largest index.
        reached: u64,
        /// Elements the buffer has.
        depth: usize,
    },
    /// More work than the launch may do.
    #[error(
        "{operations} more micro-operations exceed the launch's limit of {limit}; raise the limit if the program is right"
    )]
    Operations {
        /// What the instruction asks for.
        operations: u64,
        /// The limit of the launch.
        limit: u64,
    },
}

/// Why a launch did not end well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FuncError {
    /// An instruction that cannot be executed.
    #[error("instruction {index}: {source}")]
    Exec {
        /// Which instruction.
        index: InsnIndex,
        /// What is wrong with it.
        source: ExecError,
    },
    /// Nothing can advance, and FINISH was not reached.
    #[error("{0}")]
    Deadlock(Box<Deadlock>),
}

/// A launch in which no module can advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlock {
    /// Load, compute, store.
    pub modules: [Blocked; 3],
    /// Tokens in the queues, in the order of [`Token::ALL`].
    pub tokens: [u64; 4],
}

/// Why one module does not advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// It has executed all its instructions.
    Drained,
    /// Its next instruction waits.
    Waiting(Head),
}

/// The next instruction of a module, and what it lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Which instruction.
    pub index: InsnIndex,
    /// Its text.
    pub text: String,
    /// Tokens that it takes and that are not there.
    pub waits_for: Vec<Token>,
}

impl Display for Deadlock {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("deadlock before FINISH")?;
        for (module, blocked) in Module::ALL.into_iter().zip(&self.modules) {
            match blocked {
                Blocked::Drained => write!(f, "; {module} has no instruction left")?,
                Blocked::Waiting(head) => {
                    let tokens: Vec<&str> = head.waits_for.iter().map(|t| t.name()).collect();
                    let tokens = tokens.join(" and ");
                    write!(
                        f,
                        "; {module} waits for {tokens} at {} `{}`",
                        head.index, head.text
                    )?;
                }
            }
        }
        if self
            .modules
            .iter()
            .all(|blocked| *blocked == Blocked::Drained)
        {
            f.write_str("; add a finish instruction")?;
        }
        Ok(())
    }
}
