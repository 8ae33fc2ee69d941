//! The strategies by name.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::seed::Seed;
use crate::task::{ConfigSpace, TaskContext};
use crate::transfer::Knowledge;

use super::{
    Arco, ArcoConstants, Chameleon, ChameleonConstants, Droplet, Gbt, GbtConstants, Genetic,
    GeneticConstants, Grid, Ml2, Ml2Constants, Random, SaGbt, SaGbtConstants, Strategy,
};

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
    /// `arco` with agents that never learn.
    ArcoWithoutLearning,
    /// `arco` that does not predict what fails.
    ArcoWithoutValidity,
    /// `arco` with trees that predict what fails.
    ArcoValidityTrees,
    /// `arco` with one agent that owns every knob.
    ArcoOneAgent,
}

impl StrategyKind {
    /// Every strategy.
    pub const ALL: [Self; 17] = [
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
        Self::ArcoWithoutLearning,
        Self::ArcoWithoutValidity,
        Self::ArcoValidityTrees,
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
            Self::ArcoWithoutLearning => "arco-no-learning",
            Self::ArcoWithoutValidity => "arco-no-validity",
            Self::ArcoValidityTrees => "arco-validity-trees",
            Self::ArcoOneAgent => "arco-one-agent",
        }
    }

    /// The strategy for a task, with what the searches that share `knowledge` know. All draws come from `seed`.
    ///
    /// Only `arco` and its ablations learn from other tasks.
    pub fn build(
        self,
        space: Arc<ConfigSpace>,
        context: &TaskContext,
        seed: Seed,
        knowledge: &Knowledge,
    ) -> Box<dyn Strategy> {
        match self {
            Self::Arco
            | Self::ArcoWithoutHardware
            | Self::ArcoIndependentCritics
            | Self::ArcoTopK
            | Self::ArcoWithoutAgents
            | Self::ArcoWithoutLearning
            | Self::ArcoWithoutValidity
            | Self::ArcoValidityTrees
            | Self::ArcoOneAgent => {
                let constants = ArcoConstants::default();
                Box::new(Arco::new(self, space, context, seed, knowledge, constants))
            }
            Self::Random => Box::new(Random::new(space, seed)),
            Self::Grid => Box::new(Grid::new(space)),
            Self::Ga => Box::new(Genetic::new(space, seed, GeneticConstants::default())),
            Self::SaGbt => Box::new(SaGbt::new(space, seed, SaGbtConstants::default())),
            Self::Droplet => Box::new(Droplet::new(space, seed)),
            Self::Ml2 => Box::new(Ml2::new(space, seed, Ml2Constants::default(), None)),
            Self::Chameleon => Box::new(Chameleon::new(space, seed, ChameleonConstants::default())),
            Self::Gbt16 => Box::new(Gbt::new(space, seed, GbtConstants::default())),
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
