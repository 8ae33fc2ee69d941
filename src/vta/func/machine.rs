//! The accelerator's state and how a launch changes it.

use super::operands::Operands;
use super::schedule::{Cursors, Outcome};
use super::{Counters, Dram, ExecError, FuncError, GemmPath};
use crate::vta::buffer::Buffer;
use crate::vta::config::{Geometry, Mem};
use crate::vta::isa::{Insn, InsnIndex, Module, Uop, UopFields};

/// Micro-operations one launch may execute unless told otherwise: about 4 * 10^12 multiply-accumulates at the default
/// geometry, far beyond any layer, and yet an end for a program of random bits.
pub const DEFAULT_MAX_OPERATIONS: u64 = 1 << 34;

/// Which module goes first when several can. Tokens make the choice irrelevant, unless some are left over from an earlier
/// launch: what is left over in practice says "this buffer is free" (store->compute; the compiler's last pop may come
/// after the launch), and then a producer that runs ahead would overwrite what a consumer has not read yet.
const CONSUMERS_FIRST: [Module; 3] = [Module::Store, Module::Compute, Module::Load];

/// A VTA: its buffers, the tokens between its modules, and its counters.
pub struct Machine {
    pub(super) geometry: Geometry,
    pub(super) uop_fields: UopFields,
    pub(super) uops: Buffer<Uop>,
    pub(super) acc: Buffer<i32>,
    pub(super) operands: Operands,
    /// Bytes of one row on their way between DRAM and a buffer.
    pub(super) row: Buffer<u8>,
    /// Runs of regular micro-operations of the GEMM at hand.
    pub(super) runs: Vec<super::gemm::UopRun>,
    pub(super) counters: Counters,
    pub(super) skip_execution: bool,
    tokens: [u64; 4],
    max_operations: u64,
}

impl Machine {
    /// A machine with zeroed buffers and no tokens, on the fastest GEMM path this processor has.
    pub fn new(geometry: Geometry) -> Self {
        Machine::with_path(geometry, GemmPath::detect(&geometry))
    }

    /// The same on a chosen GEMM path; one that the processor or the geometry does not allow falls back to scalar.
    pub fn with_path(geometry: Geometry, path: GemmPath) -> Self {
        let path = if path.is_available(&geometry) {
            path
        } else {
            GemmPath::Scalar
        };
        let lanes = geometry.batch() * geometry.block_out();
        let row = Mem::ALL
            .map(|mem| geometry.depth(mem) * geometry.elem_bytes(mem))
            .into_iter()
            .fold(0, usize::max);
        Machine {
            geometry,
            uop_fields: UopFields::new(&geometry),
            uops: Buffer::new(geometry.depth(Mem::Uop), Uop::default()),
            acc: Buffer::new(geometry.depth(Mem::Acc) * lanes, 0),
            operands: Operands::new(&geometry, path),
            row: Buffer::new(row, 0),
            runs: Vec::with_capacity(geometry.depth(Mem::Uop)),
            counters: Counters::default(),
            skip_execution: false,
            tokens: [0; 4],
            max_operations: DEFAULT_MAX_OPERATIONS,
        }
    }

    /// The machine's shape.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The GEMM path in use.
    pub fn path(&self) -> GemmPath {
        self.operands.path()
    }

    /// Statistics since the last [`Machine::clear_counters`].
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Sets all statistics to zero.
    pub fn clear_counters(&mut self) {
        self.counters = Counters::default();
    }

    /// Tokens in the queues, in the order of [`crate::vta::isa::Token::ALL`].
    pub fn tokens(&self) -> [u64; 4] {
        self.tokens
    }

    /// Debug flag 1: count everything, execute micro-operation loads only.
    pub fn set_skip_execution(&mut self, skip: bool) {
        self.skip_execution = skip;
    }

    /// Limits the micro-operations of one launch (default [`DEFAULT_MAX_OPERATIONS`]).
    pub fn set_max_operations(&mut self, limit: u64) {
        self.max_operations = limit;
    }

    /// The accumulator buffer: `depth(Acc)` elements of `[BATCH][BLOCK_OUT]`.
    pub fn acc(&self) -> &[i32] {
        &self.acc
    }

    /// Runs a launch to FINISH, then lets load and store do what their tokens still allow.
    ///
    /// # Errors
    /// [`FuncError::Exec`] with the number of the first instruction that cannot be executed (what came before it has
    /// happened), [`FuncError::Deadlock`] if nothing can advance before FINISH.
    pub fn launch<D: Dram + ?Sized>(
        &mut self,
        insns: &[Insn],
        dram: &mut D,
    ) -> Result<Outcome, FuncError> {
        let mut cursors = Cursors::new(insns);
        let mut operations = 0;
        loop {
            let ready = CONSUMERS_FIRST
                .into_iter()
                .find_map(|module| cursors.ready(module, &self.tokens));
            match ready {
                Some((index, insn)) => {
                    self.step(&mut cursors, index, insn, &mut operations, dram)?;
                }
                None => return cursors.end(&self.tokens),
            }
        }
    }

    /// The same with the order of modules chosen by `pick`, which gets the modules that can advance and returns a position
    /// in that list (taken modulo its length). Every choice must lead to the same memory; this is there to test that.
    ///
    /// # Errors
    /// As [`Machine::launch`].
    pub fn launch_with<D: Dram + ?Sized>(
        &mut self,
        insns: &[Insn],
        dram: &mut D,
        mut pick: impl FnMut(&[Module]) -> usize,
    ) -> Result<Outcome, FuncError> {
        let mut cursors = Cursors::new(insns);
        let mut operations = 0;
        loop {
            let mut ready = [Module::Load; 3];
            let mut count = 0;
            for module in Module::ALL {
                if cursors.ready(module, &self.tokens).is_some() {
                    ready[count] = module;
                    count += 1;
                }
            }
            if count == 0 {
                return cursors.end(&self.tokens);
            }
            let module = ready[pick(&ready[..count]) % count];
            if let Some((index, insn)) = cursors.ready(module, &self.tokens) {
                self.step(&mut cursors, index, insn, &mut operations, dram)?;
            }
        }
    }

    fn step<D: Dram + ?Sized>(
        &mut self,
        cursors: &mut Cursors<'_>,
        index: InsnIndex,
        insn: &Insn,
        operations: &mut u64,
        dram: &mut D,
    ) -> Result<(), FuncError> {
        let more = match insn {
            Insn::Gemm(g) => g.operations(),
            Insn::Alu(a) => a.operations(),
            _ => 0,
        };
        *operations = operations.saturating_add(more);
        if *operations > self.max_operations {
            let limit = self.max_operations;
            let source = ExecError::Operations {
                operations: more,
                limit,
            };
            return Err(FuncError::Exec { index, source });
        }
        Cursors::start(insn, &mut self.tokens);
        self.execute(insn, dram)
            .map_err(|source| FuncError::Exec { index, source })?;
        cursors.retire(index, insn, &mut self.tokens);
        Ok(())
    }

    /// Executes one instruction's effect on buffers, memory and counters; tokens are the caller's business. For a timing
    /// model that decides the order itself.
    ///
    /// # Errors
    /// [`ExecError`] if it leaves a buffer or memory; accumulators and memory are unchanged then, except for rows of a
    /// STORE before the bad one.
    pub fn execute<D: Dram + ?Sized>(
        &mut self,
        insn: &Insn,
        dram: &mut D,
    ) -> Result<(), ExecError> {
        match insn {
            Insn::Load(m) => self.load(m, dram),
            Insn::Store(m) => self.store(m, dram),
            Insn::Gemm(g) => self.gemm(g),
            Insn::Alu(a) => self.alu(a),
            Insn::Finish(_) => Ok(()),
        }
    }
}
