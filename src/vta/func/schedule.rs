//! Token-driven execution: three modules, each in order, as far as tokens allow.

use super::error::{Blocked, Deadlock, FuncError, Head};
use crate::vta::isa::{Insn, InsnIndex, Module, Token};

/// How a launch that reached FINISH ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Instructions executed.
    pub executed: u32,
    /// Instructions left: behind FINISH in the compute module, or waiting for tokens that never came in the others.
    pub unexecuted: u32,
}

/// Where each module stands in the instruction stream.
pub(super) struct Cursors<'a> {
    insns: &'a [Insn],
    /// Position of each module's next instruction; the stream's length when there is none.
    next: [usize; 3],
    finished: bool,
    executed: u32,
}

impl<'a> Cursors<'a> {
    pub(super) fn new(insns: &'a [Insn]) -> Self {
        let mut cursors = Cursors {
            insns,
            next: [0; 3],
            finished: false,
            executed: 0,
        };
        for module in Module::ALL {
            cursors.seek(module, 0);
        }
        cursors
    }

    fn seek(&mut self, module: Module, from: usize) {
        let rest = self.insns.get(from..).unwrap_or_default();
        let found = rest.iter().position(|insn| insn.module() == module);
        self.next[module.index()] = found.map_or(self.insns.len(), |at| from + at);
    }

    /// The next instruction of a module whose tokens are all there.
    pub(super) fn ready(&self, module: Module, tokens: &[u64; 4]) -> Option<(InsnIndex, &'a Insn)> {
        if self.finished && module == Module::Compute {
            return None;
        }
        let at = self.next[module.index()];
        let insn = self.insns.get(at)?;
        missing(insn, tokens)
            .next()
            .is_none()
            .then_some((InsnIndex(at as u32), insn))
    }

    /// Takes the tokens of a ready instruction.
    pub(super) fn start(insn: &Insn, tokens: &mut [u64; 4]) {
        for token in insn.pops().into_iter().flatten() {
            tokens[token.index()] = tokens[token.index()].saturating_sub(1);
        }
    }

    /// Gives the tokens of an executed instruction and moves its module on.
    pub(super) fn retire(&mut self, index: InsnIndex, insn: &Insn, tokens: &mut [u64; 4]) {
        for token in insn.pushes().into_iter().flatten() {
            tokens[token.index()] = tokens[token.index()].saturating_add(1);
        }
        self.finished |= matches!(insn, Insn::Finish(_));
        self.executed += 1;
        self.seek(insn.module(), index.0 as usize + 1);
    }

    /// How a launch in which nothing is ready any more has ended.
    pub(super) fn end(&self, tokens: &[u64; 4]) -> Result<Outcome, FuncError> {
        if self.finished {
            let unexecuted = self.insns.len() as u32 - self.executed;
            return Ok(Outcome {
                executed: self.executed,
                unexecuted,
            });
        }
        let modules = Module::ALL.map(|module| {
            let at = self.next[module.index()];
            self.insns.get(at).map_or(Blocked::Drained, |insn| {
                Blocked::Waiting(Head {
                    index: InsnIndex(at as u32),
                    text: insn.to_string(),
                    waits_for: missing(insn, tokens).collect(),
                })
            })
        });
        Err(FuncError::Deadlock(Box::new(Deadlock {
            modules,
            tokens: *tokens,
        })))
    }
}

/// Tokens an instruction takes that are not there.
fn missing<'t>(insn: &Insn, tokens: &'t [u64; 4]) -> impl Iterator<Item = Token> + use<'t> {
    insn.pops()
        .into_iter()
        .flatten()
        .filter(|token| tokens[token.index()] == 0)
}
