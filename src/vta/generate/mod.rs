//! Valid random programs, for property tests, fuzzing and benchmarks.
//!
//! The shape of a program is what a compiler emits: stages of loads, computation and stores that hand one or two halves of
//! the buffers to one another by tokens, so that every interleaving the tokens allow gives the same memory. What fills the
//! stages is arbitrary: sizes, paddings, strides, micro-operations, operations.

mod choices;
mod compute;
mod geometry;
mod memory;

pub use choices::{ByteChoices, Choices};
pub use geometry::geometry;

use super::config::{Geometry, Mem};
use super::isa::{Deps, RawInsn};
use super::isa::{EncodeError, Insn, Module, UOP_BYTES, Uop, UopFields};
use super::program::{DramRow, Expected, Launch, Program};
use std::ops::Range;

/// Start of the bytes that loads read.
pub const INPUT_ADDR: u64 = 0x1_0000;
/// Their number.
pub const INPUT_BYTES: u64 = 0x8000;
/// Start of the bytes that stores write.
pub const OUTPUT_ADDR: u64 = 0x4_0000;
/// Their number.
pub const OUTPUT_BYTES: u64 = 0x4000;
/// Start of the micro-operations.
pub const UOP_ADDR: u64 = 0x8_0000;

/// Most instructions of one stage in one module.
const STAGE_INSNS: u64 = 3;

/// Builds a program from choices; few choices make a small program, none a minimal one.
///
/// # Errors
/// [`EncodeError`] would mean that the generator made an index that the geometry cannot hold: a bug.
pub fn program(geometry: &Geometry, choices: &mut impl Choices) -> Result<Program, EncodeError> {
    let mut builder = Builder {
        geometry: *geometry,
        insns: Vec::new(),
        uops: Vec::new(),
        choices,
    };
    let halves = if builder.can_halve() {
        1 + builder.choices.below(2)
    } else {
        1
    };
    let stages = builder.choices.below(6);
    for _ in 0..halves {
        builder.nop(
            Module::Compute,
            Deps {
                push_prev: true,
                ..Deps::default()
            },
        );
        builder.nop(
            Module::Store,
            Deps {
                push_prev: true,
                ..Deps::default()
            },
        );
    }
    for stage in 0..stages {
        builder.stage(stage % halves, halves);
    }
    // All stores have returned their buffers before the launch ends.
    for _ in 0..halves {
        builder.nop(
            Module::Compute,
            Deps {
                pop_next: true,
                ..Deps::default()
            },
        );
    }
    builder.insns.push(Insn::Finish(Deps::default()));
    builder.finish()
}

struct Builder<'a, C> {
    geometry: Geometry,
    insns: Vec<Insn>,
    uops: Vec<Uop>,
    choices: &'a mut C,
}

impl<C: Choices> Builder<'_, C> {
    fn can_halve(&self) -> bool {
        [Mem::Inp, Mem::Wgt, Mem::Acc]
            .into_iter()
            .all(|mem| self.geometry.depth(mem) >= 2)
    }

    fn nop(&mut self, module: Module, deps: Deps) {
        self.insns.push(Insn::nop(module, deps));
    }

    /// The part of a buffer that belongs to one half.
    fn region(&self, mem: Mem, half: u64, halves: u64) -> Range<u64> {
        let size = self.geometry.depth(mem) as u64 / halves;
        half * size..(half + 1) * size
    }

    /// Loads, then computation, then stores, on one half of the buffers.
    fn stage(&mut self, half: u64, halves: u64) {
        let first = self.insns.len();
        for _ in 0..self.choices.below(STAGE_INSNS + 1) {
            let mem = self.choices.pick([Mem::Inp, Mem::Wgt]);
            let region = self.region(mem, half, halves);
            self.load(mem, region);
        }
        self.hand_over(
            first,
            Module::Load,
            |first| first.pop_next = true,
            |last| last.push_next = true,
        );

        let first = self.insns.len();
        for _ in 0..self.choices.below(STAGE_INSNS + 1) {
            match self.choices.below(5) {
                0 => self.load(Mem::Acc, self.region(Mem::Acc, half, halves)),
                1 => self.load(Mem::Acc8, self.region(Mem::Acc, half, halves)),
                2 | 3 => self.gemm(half, halves),
                _ => self.alu(half, halves),
            }
        }
        self.hand_over(
            first,
            Module::Compute,
            |first| (first.pop_prev, first.pop_next) = (true, true),
            |last| (last.push_prev, last.push_next) = (true, true),
        );

        let first = self.insns.len();
        for _ in 0..self.choices.below(STAGE_INSNS + 1) {
            let region = self.region(Mem::Acc, half, halves);
            self.store(region);
        }
        self.hand_over(
            first,
            Module::Store,
            |first| first.pop_prev = true,
            |last| last.push_prev = true,
        );
    }

    /// Puts tokens on the first and the last instruction since `first`; an empty stage gets a NOP to carry them.
    fn hand_over(
        &mut self,
        first: usize,
        module: Module,
        take: impl Fn(&mut Deps),
        give: impl Fn(&mut Deps),
    ) {
        if self.insns.len() == first {
            self.nop(module, Deps::default());
        }
        take(self.insns[first].deps_mut());
        let last = self.insns.len() - 1;
        give(self.insns[last].deps_mut());
    }

    fn finish(self) -> Result<Program, EncodeError> {
        let fields = UopFields::new(&self.geometry);
        let mut words = Vec::with_capacity(self.uops.len() * UOP_BYTES);
        for &uop in &self.uops {
            words.extend(fields.encode(uop)?.to_le_bytes());
        }
        let insns: Vec<RawInsn> = self
            .insns
            .iter()
            .map(|insn| insn.encode(&self.geometry))
            .collect::<Result<_, EncodeError>>()?;
        let dram_in = vec![
            DramRow {
                addr: INPUT_ADDR,
                mem: None,
                bytes: noise(INPUT_BYTES),
            },
            DramRow {
                addr: OUTPUT_ADDR,
                mem: None,
                bytes: vec![0; OUTPUT_BYTES as usize],
            },
            DramRow {
                addr: UOP_ADDR,
                mem: Some(Mem::Uop),
                bytes: words,
            },
        ];
        Ok(Program {
            name: "generated".to_owned(),
            geometry: self.geometry,
            launches: vec![Launch {
                insns,
                dram_in,
                dram_out: Vec::new(),
            }],
            timing_only: false,
            expected: Expected::default(),
        })
    }
}

/// Bytes without pattern, always the same; extremes are frequent because they are where arithmetic goes wrong.
fn noise(bytes: u64) -> Vec<u8> {
    (0..bytes)
        .map(|i| {
            let mixed = (i ^ (i >> 7)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 53;
            if mixed & 0x700 == 0 {
                0x80
            } else {
                mixed as u8
            }
        })
        .collect()
}
