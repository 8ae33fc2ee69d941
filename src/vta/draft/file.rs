//! Drafts as program files.

use super::{Call, DraftError, DraftLaunch, Drafter, Epilogue};
use crate::vta::config::{Geometry, Mem};
use crate::vta::isa::EncodeError;
use crate::vta::packed_conv::{PackedConv, PackedTiles};
use crate::vta::program::{DramRow, Expected, Launch, Program};
use crate::vta::runtime::{RuntimeError, UOP_BASE};

/// A kernel's first two calls as one program: the log's time is that of the second.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoCalls {
    /// Launches of both, for timing only: the tensors are not in it.
    pub program: Program,
    /// How many of the launches are the first call's.
    pub first: usize,
    /// Cycles of the second call.
    pub cycles: u64,
}

impl Drafter {
    /// The program of a schedule's first two calls.
    ///
    /// # Errors
    /// As [`Drafter::draft`].
    ///
    /// # Panics
    /// As [`PackedConv::refusal`].
    pub fn two_calls(
        &mut self,
        name: &str,
        conv: &PackedConv,
        tiles: &PackedTiles,
        epilogue: &Epilogue,
    ) -> Result<TwoCalls, DraftError> {
        let geometry = self.geometry;
        let mut of_call = |call: Call| -> Result<(Vec<Launch>, u64), DraftError> {
            let mut draft = self.draft_call(call, conv, tiles, epilogue)?;
            let cycles = draft.cycles()?;
            let launches = draft.launches.iter().map(|launch| launch.encode(&geometry));
            let launches: Result<_, _> = launches.collect();
            Ok((launches.map_err(RuntimeError::from)?, cycles))
        };
        let (mut launches, first_cycles) = of_call(Call::First)?;
        let (later, cycles) = of_call(Call::Later)?;
        let first = launches.len();
        launches.extend(later);
        let expected = Expected {
            cycles: vec![(geometry.max_burst(), first_cycles + cycles)],
            ..Expected::default()
        };
        let program = Program {
            name: name.to_owned(),
            geometry,
            launches,
            timing_only: true,
            expected,
        };
        Ok(TwoCalls {
            program,
            first,
            cycles,
        })
    }
}

impl DraftLaunch {
    /// As a file has it.
    fn encode(&self, geometry: &Geometry) -> Result<Launch, EncodeError> {
        let insns = self.insns.iter().map(|insn| insn.encode(geometry));
        let uops = DramRow {
            addr: UOP_BASE,
            mem: Some(Mem::Uop),
            bytes: self.uops.clone(),
        };
        Ok(Launch {
            insns: insns.collect::<Result<_, _>>()?,
            dram_in: vec![uops],
            dram_out: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vta::timing::{TimingOptions, simulate};

    #[test]
    fn a_file_takes_as_long_as_the_draft_on_every_geometry() {
        let conv = PackedConv {
            batches: 1,
            input_blocks: 4,
            output_blocks: 4,
            height: 8,
            width: 8,
            kernel_height: 3,
            kernel_width: 3,
            stride: 1,
            padding: 1,
        };
        for (h_threads, geometry) in [
            (1, "1x16_i8w8a32_15_15_18_17"),
            (2, "4x8_i8w8a32_15_15_18_17"),
        ] {
            let geometry: Geometry = geometry.parse().unwrap();
            let tiles = PackedTiles {
                h: 2,
                w: 8,
                ci: 1,
                co: 2,
                oc_threads: 1,
                h_threads,
            };
            let mut drafter = Drafter::new(&geometry);
            let epilogue = Epilogue::default();
            let calls = drafter.two_calls("conv", &conv, &tiles, &epilogue).unwrap();
            let drafted = drafter.draft(&conv, &tiles, &epilogue).unwrap().cycles();
            assert_eq!(drafted, Ok(calls.cycles));
            let text = crate::vta::program::text::print(&calls.program);
            let read = crate::vta::program::text::parse(&text).unwrap();
            assert_eq!(read, calls.program);
            let run = simulate(&read, &TimingOptions::default()).unwrap();
            let second: u64 = run.launches[calls.first..].iter().sum();
            assert_eq!(second, calls.cycles);
            assert_eq!(run.cycles, read.expected.cycles[0].1);
        }
    }
}
