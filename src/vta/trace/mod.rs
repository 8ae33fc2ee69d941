//! Pictures of a run: where the pipeline works and where it stalls.
//!
//! [`Recorder`] watches the timing model and keeps what happens; [`chrome::write`] makes a trace for Perfetto or
//! `chrome://tracing` of it, and [`svg::render`] a timeline of load, compute and store with their tokens that needs nothing but
//! a browser. Times are cycles everywhere.
//!
//! ```
//! use arco_tvm::vta::{program, timing, trace};
//! let text = b".config 1x16_i8w8a32_15_15_18_17\n.code\n  nop.load push_next\n  nop.compute pop_prev\n  finish\n";
//! let program = program::read(text)?;
//! let mut recorder = trace::Recorder::default();
//! let report = timing::simulate_with(&program, &timing::TimingOptions::default(), &mut recorder)?;
//! let svg = trace::svg::render(&recorder, &trace::svg::SvgOptions::default());
//! assert!(svg.contains("load-&gt;compute"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod chrome;
mod record;
pub mod svg;

pub use record::{Recorder, Span, TokenCount, Wait};
