//! Constants and variants of `arco`.

use crate::agents::{Ownership, TeamConstants};
use crate::sampling::ConfidenceConstants;
use crate::surrogate::EnsembleConstants;

/// Constants of [`super::Arco`]; `docs/reference/strategies.md` says how they were chosen.
#[derive(Clone, Copy, Debug)]
pub struct ArcoConstants {
    /// Measurements between two fits.
    pub batch: usize,
    /// Random measurements before the first fit.
    pub initial: usize,
    /// How many of a batch are drawn at random, whatever the agents say.
    pub explore: usize,
    /// Weight of the surrogates' uncertainty in a candidate's confidence.
    pub optimism: f64,
    /// Weight of the critic's value, standardised over the candidates.
    pub critic: f64,
    /// Walks start from so many of the best measured configurations.
    pub elite: usize,
    /// Weight of the Gaussian process in the cost model; the ensemble of trees has the rest.
    pub smooth: f64,
    /// The agents.
    pub team: TeamConstants,
    /// The cost model.
    pub ensemble: EnsembleConstants,
    /// The draw.
    pub confidence: ConfidenceConstants,
}

impl Default for ArcoConstants {
    fn default() -> Self {
        Self {
            batch: 8,
            initial: 16,
            explore: 0,
            optimism: 0.5,
            critic: 0.1,
            elite: 8,
            smooth: 0.5,
            team: TeamConstants::default(),
            ensemble: EnsembleConstants::default(),
            confidence: ConfidenceConstants::default(),
        }
    }
}

/// Parts of the method that an ablation takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Who owns which knob.
    pub ownership: Ownership,
    /// One critic for each agent instead of a central one.
    pub independent_critics: bool,
    /// Confidence sampling; without it the candidates of highest confidence are taken.
    pub confidence_sampling: bool,
    /// Candidates come from the agents' walks; without them as many are drawn at random, and there is no critic.
    pub agents: bool,
    /// Invalid configurations are predicted; without it a failure counts as the worst cost seen.
    pub validity_model: bool,
}

impl Parts {
    /// The whole method.
    pub const ALL: Self = Self {
        ownership: Ownership::ByRole,
        independent_critics: false,
        confidence_sampling: true,
        agents: true,
        validity_model: true,
    };
}
