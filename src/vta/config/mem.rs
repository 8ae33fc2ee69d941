//! Memory types: which on-chip buffer an instruction moves data to or from.

use serde::{Deserialize, Serialize};

/// A memory type with its number in the instruction word (spec section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Mem {
    /// Micro-operations.
    Uop = 0,
    /// Weights, `[BLOCK_OUT][BLOCK_IN]` an element.
    Wgt = 1,
    /// Inputs, `[BATCH][BLOCK_IN]` an element.
    Inp = 2,
    /// Accumulators, `[BATCH][BLOCK_OUT]` an element.
    Acc = 3,
    /// Outputs: accumulators truncated to OUT bits.
    Out = 4,
    /// Accumulators whose DRAM values are int8.
    Acc8 = 5,
}

impl Mem {
    /// Every memory type, by number.
    pub const ALL: [Mem; 6] = [Mem::Uop, Mem::Wgt, Mem::Inp, Mem::Acc, Mem::Out, Mem::Acc8];

    /// The memory type of that number; 6 and 7 are free.
    pub fn from_id(id: u8) -> Option<Mem> {
        Mem::ALL.get(usize::from(id)).copied()
    }

    /// Its number in the instruction word.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// Its name in program text.
    pub fn name(self) -> &'static str {
        match self {
            Mem::Uop => "uop",
            Mem::Wgt => "wgt",
            Mem::Inp => "inp",
            Mem::Acc => "acc",
            Mem::Out => "out",
            Mem::Acc8 => "acc8",
        }
    }

    /// The memory type of that name.
    pub fn from_name(name: &str) -> Option<Mem> {
        Mem::ALL.into_iter().find(|m| m.name() == name)
    }
}

impl std::fmt::Display for Mem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
