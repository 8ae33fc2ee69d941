//! Ask/tell strategies: which configurations to measure next, given what was measured.

mod annealing;
mod arco;
mod candidates;
mod chameleon;
mod droplet;
mod gbt;
mod genetic;
mod grid;
mod kind;
mod measured;
mod ml2;
mod permutation;
mod plan;
mod random;
mod sa_gbt;

pub use annealing::AnnealingConstants;
pub use arco::{Arco, ArcoConstants, Parts};
pub use chameleon::{
    AdaptiveConstants, Chameleon, ChameleonConstants, PolicyConstants, WalkConstants,
};
pub use droplet::Droplet;
pub use gbt::{Gbt, GbtConstants};
pub use genetic::{Genetic, GeneticConstants};
pub use grid::Grid;
pub use kind::{StrategyKind, UnknownStrategy};
pub use ml2::{Ml2, Ml2Constants};
pub use random::Random;
pub use sa_gbt::{SaGbt, SaGbtConstants};

use crate::agents::ExplorationError;
use crate::record::ErrorNo;
use crate::task::{ConfigIndex, SpaceError};

/// A configuration that a strategy wants measured, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Which configuration.
    pub index: ConfigIndex,
    /// Why it was chosen.
    pub why: Why,
}

/// Why a configuration was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its turn in the order of indices.
    Grid,
    /// Drawn at random.
    Random,
    /// The cost model ranks it high.
    Model,
    /// Bred from two that did well.
    Bred,
    /// A neighbour of the best so far.
    Neighbour,
    /// The agents came by it, and confidence sampling drew it.
    Agents,
    /// Confidence sampling put it together from values of good ones.
    Synthesised,
    /// No strategy chose it: the run was to begin with it.
    Given,
}

impl Why {
    /// The word for it in journals and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Random => "random",
            Self::Model => "model",
            Self::Bred => "bred",
            Self::Neighbour => "neighbour",
            Self::Agents => "agents",
            Self::Synthesised => "synthesised",
            Self::Given => "given",
        }
    }
}

/// What came of a configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Mean seconds of one run (any other cost will do where a smaller one is better).
    Cost(f64),
    /// It failed.
    Failed(ErrorNo),
}

impl Outcome {
    /// A cost that can be compared with others: positive and finite. Anything else counts as a failure.
    pub fn comparable_cost(self) -> Option<f64> {
        match self {
            Self::Cost(cost) if cost.is_finite() && cost > 0.0 => Some(cost),
            _ => None,
        }
    }
}

/// A configuration and what came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Which configuration.
    pub index: ConfigIndex,
    /// What came of it.
    pub outcome: Outcome,
}

/// Why a strategy cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum StrategyError {
    /// The space could not be asked.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The cost model could not be fitted.
    #[error("the cost model could not be fitted to {rows} measurements: {reason}")]
    Model {
        /// Number of measurements.
        rows: usize,
        /// What the learner said.
        reason: String,
    },
    /// An agent's networks cannot be computed.
    #[error("the agents' networks cannot be computed: {0}")]
    Networks(#[from] candle_core::Error),
    /// Candidates could not be compiled to see their hidden features.
    #[error("hidden features of candidates could not be had: {0}")]
    HiddenFeatures(String),
}

impl StrategyError {
    /// What became of a model that was to learn from so many measurements, when the learner refused them with a reason.
    fn model(rows: usize) -> impl Fn(String) -> Self {
        move |reason| Self::Model { rows, reason }
    }
}

impl From<ExplorationError> for StrategyError {
    fn from(error: ExplorationError) -> Self {
        match error {
            ExplorationError::Networks(error) => Self::Networks(error),
            ExplorationError::Space(error) => Self::Space(error),
        }
    }
}

/// Chooses configurations of one task.
///
/// No strategy proposes a configuration twice, nor one that it was told of. Results come in the order that they
/// were asked for; results that nobody asked for (from an earlier log) are welcome at any time.
pub trait Strategy: Send {
    /// Which strategy this is.
    fn kind(&self) -> StrategyKind;

    /// How many configurations it likes to be asked for at once.
    fn batch(&self) -> usize {
        16
    }

    /// Up to `n` configurations, all valid by the template's own condition; fewer when the space runs out.
    ///
    /// # Errors
    /// When the space cannot be asked or a model cannot be fitted.
    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError>;

    /// Takes in what was measured.
    ///
    /// # Errors
    /// When an observation is of a configuration that the space does not have.
    fn tell(&mut self, observations: &[Observation]) -> Result<(), StrategyError>;
}
