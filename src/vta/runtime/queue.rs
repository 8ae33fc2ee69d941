//! The instruction stream and how dependencies are merged into it (spec section 3).

use super::RuntimeError;
use crate::vta::isa::{Deps, INSN_BYTES, Insn, Module};

/// Instructions of one launch: 32 MiB (spec section 3).
pub const MAX_INSNS: usize = (32 << 20) / INSN_BYTES;

/// Most instructions that one call of the API adds.
pub(super) const SLACK: usize = 6;

/// A stage of the pipeline by the number that compiled code uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage(Module);

impl Stage {
    /// Load 1, compute 2, store 3.
    pub fn from_id(id: i32) -> Option<Stage> {
        Some(Stage(match id {
            1 => Module::Load,
            2 => Module::Compute,
            3 => Module::Store,
            _ => return None,
        }))
    }
}

/// A direction between two neighbouring stages.
#[derive(Clone, Copy)]
struct Dependence {
    from: Module,
    to: Module,
}

impl Dependence {
    fn new(from: i32, to: i32) -> Result<Self, RuntimeError> {
        match (Stage::from_id(from), Stage::from_id(to)) {
            (Some(Stage(a)), Some(Stage(b))) if a.index().abs_diff(b.index()) == 1 => {
                Ok(Dependence { from: a, to: b })
            }
            _ => Err(RuntimeError::Token { from, to }),
        }
    }

    fn forward(self) -> bool {
        self.from < self.to
    }

    fn pop_bit(self, deps: &mut Deps) -> &mut bool {
        if self.forward() {
            &mut deps.pop_prev
        } else {
            &mut deps.pop_next
        }
    }

    fn push_bit(self, deps: &mut Deps) -> &mut bool {
        if self.forward() {
            &mut deps.push_next
        } else {
            &mut deps.push_prev
        }
    }
}

/// The stream under construction.
#[derive(Default)]
pub struct InsnQueue {
    insns: Vec<Insn>,
    /// Pops that the next instruction of each stage will carry.
    pending: [Deps; 3],
}

impl InsnQueue {
    /// The stream so far.
    pub fn insns(&self) -> &[Insn] {
        &self.insns
    }

    /// True if another call of the API might exceed the limit.
    pub fn is_full(&self, limit: usize) -> bool {
        self.insns.len() + SLACK > limit
    }

    /// Appends an instruction; it takes over the pending pops of its stage.
    pub fn push(&mut self, mut insn: Insn) {
        *insn.deps_mut() = std::mem::take(&mut self.pending[insn.module().index()]);
        self.insns.push(insn);
    }

    /// `VTADepPop`: stage `to` will take a token of stage `from` before its next instruction.
    ///
    /// # Errors
    /// [`RuntimeError::Token`] if the stages are no neighbours.
    pub fn dep_pop(&mut self, from: i32, to: i32) -> Result<(), RuntimeError> {
        let dependence = Dependence::new(from, to)?;
        if *dependence.pop_bit(&mut self.pending[dependence.to.index()]) {
            self.commit(dependence.to);
        }
        *dependence.pop_bit(&mut self.pending[dependence.to.index()]) = true;
        Ok(())
    }

    /// `VTADepPush`: stage `from` gives stage `to` a token after what it has been told so far. The last instruction carries
    /// it if it is of that stage, else a NOP does.
    ///
    /// # Errors
    /// [`RuntimeError::Token`] if the stages are no neighbours.
    pub fn dep_push(&mut self, from: i32, to: i32) -> Result<(), RuntimeError> {
        let dependence = Dependence::new(from, to)?;
        self.commit(dependence.from);
        if let Some(last) = self.insns.last_mut() {
            // A NOP of load or compute is a LOAD and has no stage here; a STORE always has.
            let counts = !matches!(last, Insn::Load(m) if m.is_nop());
            if counts && last.module() == dependence.from {
                let bit = dependence.push_bit(last.deps_mut());
                if !*bit {
                    *bit = true;
                    return Ok(());
                }
            }
        }
        let mut deps = Deps::default();
        *dependence.push_bit(&mut deps) = true;
        self.insns.push(Insn::nop(dependence.from, deps));
        Ok(())
    }

    /// Emits a NOP for a stage's pending pops, if it has any.
    fn commit(&mut self, stage: Module) {
        let deps = std::mem::take(&mut self.pending[stage.index()]);
        if deps != Deps::default() {
            self.insns.push(Insn::nop(stage, deps));
        }
    }

    /// Ends the stream: compute waits for the other two, then finishes.
    ///
    /// # Errors
    /// None in practice: the stages are neighbours.
    pub fn finish(&mut self) -> Result<(), RuntimeError> {
        self.dep_push(3, 2)?;
        self.dep_push(1, 2)?;
        self.dep_pop(3, 2)?;
        self.dep_pop(1, 2)?;
        self.commit(Module::Compute);
        self.insns.push(Insn::Finish(Deps::default()));
        Ok(())
    }

    /// Empties the stream; pending pops stay for the next launch.
    pub fn clear(&mut self) {
        self.insns.clear();
    }
}
