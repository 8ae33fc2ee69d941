//! Ask/tell strategies: which configurations to measure next, given what was measured.

mod annealing;
mod candidates;
mod chameleon;
mod droplet;
mod gbt;
mod genetic;
mod grid;
mod ml2;
mod permutation;
mod random;
mod sa_gbt;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use annealing::AnnealingConstants;
pub use chameleon::{
    AdaptiveConstants, Chameleon, ChameleonConstants, PolicyConstants, WalkConstants,
};
pub use droplet::Droplet;
pub use gbt::{Gbt, GbtConstants};
pub use genetic::{Genetic, GeneticConstants};
pub use grid::Grid;
pub use ml2::{Ml2, Ml2Constants};
pub use random::Random;
pub use sa_gbt::{SaGbt, SaGbtConstants};

use crate::record::ErrorNo;
use crate::seed::Seed;
use crate::task::{ConfigIndex, ConfigSpace, SpaceError};

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
    /// Put together from values of configurations that an agent visited.
    Synthesised,
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
            Self::Synthesised => "synthesised",
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
    /// An agent's networks failed.
    #[error("the agent's networks failed: {0}")]
    Networks(#[from] candle_core::Error),
    /// Candidates could not be compiled to see their hidden features.
    #[error("hidden features of candidates could not be had: {0}")]
    HiddenFeatures(String),
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

/// The strategies by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StrategyKind {
    /// Uniformly at random.
    Random,
    /// In the order of indices.
    Grid,
    /// Boosted trees on knob features, refitted every 16 measurements.
    #[default]
    Gbt16,
    /// AutoTVM's genetic algorithm.
    Ga,
    /// AutoTVM's XGBTuner: simulated annealing over boosted trees, refitted every 64 measurements.
    SaGbt,
    /// AutoTVM's coordinate descent.
    Droplet,
    /// ML2Tuner, re-implemented: models of performance and of validity.
    Ml2,
    /// CHAMELEON, re-implemented: reinforcement learning over a cost model, and adaptive sampling.
    Chameleon,
}

impl StrategyKind {
    /// Every strategy.
    pub const ALL: [Self; 8] = [
        Self::Random,
        Self::Grid,
        Self::Gbt16,
        Self::Ga,
        Self::SaGbt,
        Self::Droplet,
        Self::Ml2,
        Self::Chameleon,
    ];

    /// The name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Grid => "grid",
            Self::Gbt16 => "gbt-16",
            Self::Ga => "ga",
            Self::SaGbt => "sa-gbt",
            Self::Droplet => "droplet",
            Self::Ml2 => "ml2",
            Self::Chameleon => "chameleon",
        }
    }

    /// The strategy for a space. All draws come from `seed`.
    pub fn build(self, space: Arc<ConfigSpace>, seed: Seed) -> Box<dyn Strategy> {
        match self {
            Self::Random => Box::new(Random::new(space, seed)),
            Self::Grid => Box::new(Grid::new(space)),
            Self::Gbt16 => Box::new(Gbt::new(space, seed, GbtConstants::default())),
            Self::Ga => Box::new(Genetic::new(space, seed, GeneticConstants::default())),
            Self::SaGbt => Box::new(SaGbt::new(space, seed, SaGbtConstants::default())),
            Self::Droplet => Box::new(Droplet::new(space, seed)),
            Self::Ml2 => Box::new(Ml2::new(space, seed, Ml2Constants::default(), None)),
            Self::Chameleon => Box::new(Chameleon::new(space, seed, ChameleonConstants::default())),
        }
    }
}

impl fmt::Display for StrategyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No strategy has this name.
#[derive(Debug, thiserror::Error)]
#[error("no strategy `{0}` (there are: {names})", names = StrategyKind::ALL.map(StrategyKind::name).join(", "))]
pub struct UnknownStrategy(String);

impl FromStr for StrategyKind {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownStrategy(name.to_owned()))
    }
}
