//! Ask/tell strategies: which configurations to measure next, given what was measured.

mod annealing;
mod arco;
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
pub use arco::{Arco, ArcoConstants, Parts};
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

use crate::agents::{ExplorationError, Ownership, TeamError};
use crate::record::ErrorNo;
use crate::seed::Seed;
use crate::task::{ConfigIndex, ConfigSpace, SpaceError, TaskContext};

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
    /// The agents' networks could not be computed.
    #[error(transparent)]
    Team(#[from] TeamError),
}

impl From<ExplorationError> for StrategyError {
    fn from(error: ExplorationError) -> Self {
        match error {
            ExplorationError::Team(error) => Self::Team(error),
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

/// The strategies by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StrategyKind {
    /// Three agents, surrogates and confidence sampling: the method of the house.
    #[default]
    Arco,
    /// Uniformly at random.
    Random,
    /// In the order of indices.
    Grid,
    /// Boosted trees on knob features, refitted every 16 measurements.
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
    /// `arco` whose hardware agent has no knobs.
    ArcoWithoutHardware,
    /// `arco` with a critic for each agent.
    ArcoIndependentCritics,
    /// `arco` without confidence sampling: the candidates of highest confidence.
    ArcoTopK,
    /// `arco` with random proposals in place of the agents.
    ArcoWithoutAgents,
    /// `arco` that does not predict what fails.
    ArcoWithoutValidity,
    /// `arco` with one agent that owns every knob.
    ArcoOneAgent,
}

impl StrategyKind {
    /// Every strategy.
    pub const ALL: [Self; 15] = [
        Self::Arco,
        Self::Random,
        Self::Grid,
        Self::Gbt16,
        Self::Ga,
        Self::SaGbt,
        Self::Droplet,
        Self::Ml2,
        Self::Chameleon,
        Self::ArcoWithoutHardware,
        Self::ArcoIndependentCritics,
        Self::ArcoTopK,
        Self::ArcoWithoutAgents,
        Self::ArcoWithoutValidity,
        Self::ArcoOneAgent,
    ];

    /// The name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arco => "arco",
            Self::Random => "random",
            Self::Grid => "grid",
            Self::Gbt16 => "gbt-16",
            Self::Ga => "ga",
            Self::SaGbt => "sa-gbt",
            Self::Droplet => "droplet",
            Self::Ml2 => "ml2",
            Self::Chameleon => "chameleon",
            Self::ArcoWithoutHardware => "arco-no-hardware",
            Self::ArcoIndependentCritics => "arco-own-critics",
            Self::ArcoTopK => "arco-top-k",
            Self::ArcoWithoutAgents => "arco-no-agents",
            Self::ArcoWithoutValidity => "arco-no-validity",
            Self::ArcoOneAgent => "arco-one-agent",
        }
    }

    /// What `arco` or one of its ablations consists of; `None` for the others.
    const fn parts(self) -> Option<Parts> {
        let all = Parts::ALL;
        Some(match self {
            Self::Arco => all,
            Self::ArcoWithoutHardware => Parts {
                ownership: Ownership::WithoutHardware,
                ..all
            },
            Self::ArcoIndependentCritics => Parts {
                independent_critics: true,
                ..all
            },
            Self::ArcoTopK => Parts {
                confidence_sampling: false,
                ..all
            },
            Self::ArcoWithoutAgents => Parts {
                agents: false,
                ..all
            },
            Self::ArcoWithoutValidity => Parts {
                validity_model: false,
                ..all
            },
            Self::ArcoOneAgent => Parts {
                ownership: Ownership::One,
                ..all
            },
            _ => return None,
        })
    }

    /// The strategy for a task. All draws come from `seed`.
    ///
    /// # Errors
    /// When the agents' networks cannot be made.
    pub fn build(
        self,
        space: Arc<ConfigSpace>,
        context: &TaskContext,
        seed: Seed,
    ) -> Result<Box<dyn Strategy>, StrategyError> {
        if let Some(parts) = self.parts() {
            let constants = ArcoConstants::default();
            return Ok(Box::new(Arco::new(
                self, parts, space, context, seed, constants,
            )?));
        }
        Ok(match self {
            Self::Random => Box::new(Random::new(space, seed)),
            Self::Grid => Box::new(Grid::new(space)),
            Self::Ga => Box::new(Genetic::new(space, seed, GeneticConstants::default())),
            Self::SaGbt => Box::new(SaGbt::new(space, seed, SaGbtConstants::default())),
            Self::Droplet => Box::new(Droplet::new(space, seed)),
            Self::Ml2 => Box::new(Ml2::new(space, seed, Ml2Constants::default(), None)),
            Self::Chameleon => Box::new(Chameleon::new(space, seed, ChameleonConstants::default())),
            _ => Box::new(Gbt::new(space, seed, GbtConstants::default())),
        })
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
