//! A device that keeps what it is given.

use std::sync::{Arc, Mutex, PoisonError};

use super::DraftLaunch;
use crate::vta::config::{Geometry, Mem};
use crate::vta::func::Dram;
use crate::vta::isa::{Insn, UOP_BYTES};
use crate::vta::program::Counters;
use crate::vta::runtime::{Device, RuntimeError, UOP_BASE};

/// The launches since they were last taken.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<Vec<DraftLaunch>>);

impl Streams {
    /// The launches so far, and none from here.
    pub(super) fn take(&self) -> Vec<DraftLaunch> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The device: it executes nothing.
pub(super) struct Capture {
    geometry: Geometry,
    streams: Arc<Streams>,
}

impl Capture {
    pub(super) fn new(geometry: Geometry, streams: Arc<Streams>) -> Self {
        Capture { geometry, streams }
    }
}

impl Device for Capture {
    fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    fn launch(&mut self, insns: &[Insn], dram: &mut dyn Dram) -> Result<(), RuntimeError> {
        let mut uops = vec![0; image_bytes(insns)];
        dram.read(UOP_BASE, &mut uops)
            .map_err(|_| RuntimeError::Protocol("micro-operations lie outside of their image"))?;
        let mut streams = self
            .streams
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        streams.push(DraftLaunch {
            insns: insns.to_vec(),
            uops,
        });
        Ok(())
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }

    fn clear_counters(&mut self) {}

    fn set_skip_execution(&mut self, _: bool) {}
}

/// Bytes of the image of micro-operations that a stream loads from.
fn image_bytes(insns: &[Insn]) -> usize {
    let end = insns.iter().map(|insn| match insn {
        Insn::Load(m) if m.mem == Mem::Uop && !m.is_nop() => {
            (u64::from(m.dram_base) + u64::from(m.x_size)) * UOP_BYTES as u64
        }
        _ => UOP_BASE,
    });
    (end.max().unwrap_or(UOP_BASE) - UOP_BASE) as usize
}
