//! Drafts: the program that the template `conv2d_packed.vta` would emit for a schedule, made without TVM.
//!
//! For a search over many geometries, building each candidate with TVM takes far longer than timing it. The template's
//! loop nest and the calls of the runtime in it follow from the shapes and the tiles alone, so they are made here
//! ([`Drafter::draft`]), on the runtime that compiled kernels call: resident micro-operations, merged tokens and pops that
//! one launch leaves to the next are the real ones. A draft is for ranking; what is reported is built and run.
//!
//! # How exact
//!
//! For every schedule that [`PackedConv::refusal`] allows, instructions and micro-operations are those of TVM's program,
//! bit by bit, up to where in memory the tensors lie; and so are counters and cycles. Tests compare them with kernels that
//! TVM lowered (`tests/draft`), and with the recorded spaces.
//!
//! # Where it stops
//!
//! - One template. Groups, transposed convolutions and dense layers have others.
//! - What [`PackedConv`] can say: no dilation, strides and padding that are the same on all sides.
//! - An [`Epilogue`] of operators with a constant or with a value for each output channel, each from a tensor of its own. A
//!   residual addition has the other tensor's tiles in the accumulators too.

mod account;
mod capture;
mod emit;
mod epilogue;
mod file;
mod kernels;
mod transfer;

use std::sync::Arc;

pub use epilogue::{Epilogue, Step};
pub use file::TwoCalls;

use self::capture::{Capture, Streams};
use self::emit::Emission;
use super::config::Geometry;
use super::isa::{Insn, Token};
use super::packed_conv::{PackedConv, PackedTiles, Refusal};
use super::program::Counters;
use super::runtime::{BufferHandle, Runtime, RuntimeError};
use super::timing::{TimingError, TimingModel};

/// Why there is no draft, or it has no time.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DraftError {
    /// The rules of the template refuse the schedule.
    #[error("no schedule of this geometry: {0:?}")]
    Refused(Refusal),
    /// The runtime refuses the program: a number is beyond its field, or a kernel of micro-operations larger than the
    /// buffer. TVM's program fails in the same way when it is run.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The timing model refuses the program.
    #[error(transparent)]
    Timing(#[from] TimingError),
}

/// What one launch of a draft sends to the accelerator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftLaunch {
    /// Instructions in stream order.
    pub insns: Vec<Insn>,
    /// The image of the micro-operations that they load, 4 bytes each.
    pub uops: Vec<u8>,
}

/// Makes drafts for one geometry, and keeps its buffers from one to the next: one for each thread.
pub struct Drafter {
    geometry: Geometry,
    runtime: Runtime,
    /// Stands for every tensor: where it lies matters to nobody.
    tensor: BufferHandle,
    streams: Arc<Streams>,
    timing: TimingModel,
}

/// A program that was drafted: what one call of the kernel sends to the accelerator.
pub struct Draft<'a> {
    timing: &'a mut TimingModel,
    geometry: &'a Geometry,
    launches: Vec<DraftLaunch>,
    /// In the queues when it begins.
    tokens: [u8; 4],
}

/// Which call of a kernel. Without virtual threads they differ: the first one leaves a token and the pop that takes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    First,
    Later,
}

impl Drafter {
    /// A drafter for a geometry.
    ///
    /// # Panics
    /// When there is no memory for one page.
    pub fn new(geometry: &Geometry) -> Self {
        let streams = Arc::new(Streams::default());
        let mut runtime = Runtime::on(Box::new(Capture::new(*geometry, Arc::clone(&streams))));
        let tensor = runtime
            .memory()
            .alloc(1)
            .expect("a new runtime has all of its memory");
        Drafter {
            geometry: *geometry,
            runtime,
            tensor,
            streams,
            timing: TimingModel::new(geometry),
        }
    }

    /// The geometry that it drafts for.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The program of a convolution, with what follows it, under a schedule: that of any call but the first. A log's time
    /// is the second one's.
    ///
    /// # Errors
    /// [`DraftError::Refused`] if the template has no such schedule, [`DraftError::Runtime`] if its program could not be
    /// run.
    ///
    /// # Panics
    /// As [`PackedConv::refusal`].
    pub fn draft(
        &mut self,
        conv: &PackedConv,
        tiles: &PackedTiles,
        epilogue: &Epilogue,
    ) -> Result<Draft<'_>, DraftError> {
        self.draft_call(Call::Later, conv, tiles, epilogue)
    }

    /// The same, as the first call on a new device sends it.
    ///
    /// # Errors
    /// As [`Drafter::draft`].
    ///
    /// # Panics
    /// As [`PackedConv::refusal`].
    pub fn draft_first(
        &mut self,
        conv: &PackedConv,
        tiles: &PackedTiles,
        epilogue: &Epilogue,
    ) -> Result<Draft<'_>, DraftError> {
        self.draft_call(Call::First, conv, tiles, epilogue)
    }

    fn draft_call(
        &mut self,
        call: Call,
        conv: &PackedConv,
        tiles: &PackedTiles,
        epilogue: &Epilogue,
    ) -> Result<Draft<'_>, DraftError> {
        if let Some(refusal) = conv.refusal(&self.geometry, tiles) {
            return Err(DraftError::Refused(refusal));
        }
        let mut emission = Emission::new(&mut self.runtime, self.tensor, conv, tiles, epilogue);
        let mut tokens = [0; 4];
        let mut before = Ok(());
        if call == Call::Later {
            before = emission.follow();
            tokens[Token::StoreToCompute.index()] = u8::from(emission.carries());
        }
        let emitted = before.and_then(|()| emission.call());
        emission.forget();
        self.runtime.abandon();
        let launches = self.streams.take();
        emitted?;
        Ok(Draft {
            timing: &mut self.timing,
            geometry: &self.geometry,
            launches,
            tokens,
        })
    }
}

impl Draft<'_> {
    /// What is sent. More instructions than [`MAX_INSNS`](super::runtime::MAX_INSNS) are several launches, one after the
    /// other.
    pub fn launches(&self) -> &[DraftLaunch] {
        &self.launches
    }

    /// Tokens in the queues when it begins, in the order of [`crate::vta::isa::Token::ALL`].
    pub fn tokens(&self) -> [u8; 4] {
        self.tokens
    }

    /// The functional model's statistics of running it.
    pub fn counters(&self) -> Counters {
        let insns = self.launches.iter().flat_map(|launch| &launch.insns);
        account::counters(insns, self.geometry)
    }

    /// Cycles of running it.
    ///
    /// # Errors
    /// [`DraftError::Timing`] for a program that cannot be executed.
    pub fn cycles(&mut self) -> Result<u64, DraftError> {
        self.timing.set_tokens(self.tokens);
        let mut cycles = 0;
        for launch in &self.launches {
            cycles += self.timing.launch(&launch.insns)?.cycles;
        }
        Ok(cycles)
    }

    /// Simulated seconds, as a log has them: cycles at the geometry's clock.
    ///
    /// # Errors
    /// As [`Draft::cycles`].
    pub fn seconds(&mut self) -> Result<f64, DraftError> {
        let hertz = f64::from(self.geometry.clock_mhz()) * 1e6;
        Ok(self.cycles()? as f64 / hertz)
    }
}
