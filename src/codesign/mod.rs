//! Search over hardware: one accelerator for a network, chosen together with the schedule of every layer.
//!
//! - [`Network`]: logical convolutions; [`task`] derives a convolution's task for a geometry.
//! - [`Limits`], [`GeometrySpace`]: what the accelerator may cost, and every geometry that keeps to it.
//! - [`Search`]: which schedule on which geometry is evaluated next. The hardware agent moves the geometry, the other
//!   agents see it, the critic sees everything ([`crate::agents`]); a surrogate over shape and geometry ranks what was
//!   not evaluated, and fewer and fewer geometries share the evaluations. Half of them are the Pareto front's.
//! - [`Evaluator`]: who says how long a schedule takes.
//! - [`Ledger`]: what was evaluated, and what follows from it for every geometry.
//! - [`ComputedLayer`]: a layer's schedules on every geometry as a space with all costs, for comparing strategies.

mod beliefs;
mod computed_layer;
mod convolution;
mod draft;
mod evaluator;
mod front;
mod geometries;
mod geometry_table;
mod journal;
mod landscape;
mod ledger;
mod limits;
mod network;
mod objective;
mod picture;
mod roofline;
mod run;
mod scene;
mod schedules;
mod search;
mod volume;
mod widen;

pub use beliefs::BeliefConstants;
pub use computed_layer::{ComputedLayer, ComputedLayerError, Costs};
pub use convolution::Convolution;
pub use draft::DraftEvaluator;
pub use evaluator::Evaluator;
pub use front::{FrontPoint, pareto_front};
pub use geometries::{DIMENSIONS, Dimensions, GeometrySpace};
pub use journal::{Event, JournalError, Recalled, SCHEMA, SearchJournal};
pub use ledger::{BestSchedule, Core, Evaluated, Ledger, Point, tile_numbers};
pub use limits::{Cost, Limits, timing_verified};
pub use network::{ForeignTask, Layer, Network};
pub use objective::{Mode, Objective};
pub use picture::{FrontMark, draw_front};
pub use roofline::lower_bound;
pub use run::{SearchError, run};
pub use schedules::{config, schedules, schedules_of_any, task, tiles_of};
pub use search::{Chooser, Problem, Scored, Search, SearchConstants};
pub use widen::FrontConstants;
