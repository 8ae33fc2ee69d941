//! Debug flag 32: one module at a time.

use crate::vta::isa::{Deps, Insn, Module};

/// Replaces all tokens by one at each change of module, so that instructions execute in stream order.
pub(super) fn serialize(insns: &[Insn]) -> Vec<Insn> {
    let mut out: Vec<Insn> = Vec::with_capacity(insns.len() + 8);
    for &insn in insns {
        let mut insn = insn;
        *insn.deps_mut() = Deps::default();
        let to = insn.module();
        if let Some(from) = out.last().map(Insn::module)
            && from != to
        {
            if from != Module::Compute && to != Module::Compute {
                // Load and store are no neighbours: by way of compute.
                let mut relay = Insn::nop(Module::Compute, Deps::default());
                link(&mut out, &mut relay);
                out.push(relay);
            }
            link(&mut out, &mut insn);
        }
        out.push(insn);
    }
    out
}

/// A token from the last instruction to the next one, of a neighbouring module.
fn link(out: &mut [Insn], next: &mut Insn) {
    let Some(last) = out.last_mut() else { return };
    if last.module() < next.module() {
        last.deps_mut().push_next = true;
        next.deps_mut().pop_prev = true;
    } else {
        last.deps_mut().push_prev = true;
        next.deps_mut().pop_next = true;
    }
}
