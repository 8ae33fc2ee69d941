//! Constants and parts of `arco`.

use crate::agents::{Ownership, TeamConstants};
use crate::sampling::ConfidenceConstants;
use crate::strategy::StrategyKind;
use crate::surrogate::{GaussianProcessConstants, ValidityConstants};

/// Constants of [`super::Arco`].
#[derive(Clone, Copy, Debug)]
pub struct ArcoConstants {
    /// Measurements between two fits.
    pub batch: usize,
    /// Random configurations before the first fit, for which a batch of them must have been measured.
    pub initial: usize,
    /// Weight of the surrogate's uncertainty in a candidate's confidence and in the spread of a batch.
    pub optimism: f64,
    /// Weight of the critic's value, standardised over what the agents came by.
    pub critic: f64,
    /// The score that a failure counts as where the cost model learns from it. Lower, and the length scales are about failures alone.
    pub failure: f64,
    /// What an invalid configuration is worth where trees say how probable that is, in standard deviations of the score.
    pub invalid: f64,
    /// Rounds of walks between two fits.
    pub rounds: usize,
    /// Share of a round's walks that start at the best of the sample and of what earlier rounds came by.
    pub again: f64,
    /// A space with at most so many configurations is looked at whole.
    pub whole: u64,
    /// Random configurations of a larger space that are looked at besides those that the agents come by.
    pub sample: usize,
    /// Draws for the new ones among them, at most: a mask may refuse nearly all.
    pub draws: usize,
    /// Walks start from so many of the best measured configurations.
    pub elite: usize,
    /// The agents.
    pub team: TeamConstants,
    /// The cost model.
    pub cost: GaussianProcessConstants,
    /// The validity model.
    pub validity: ValidityConstants,
    /// The draw.
    pub confidence: ConfidenceConstants,
}

impl Default for ArcoConstants {
    fn default() -> Self {
        Self {
            batch: 4,
            initial: 8,
            optimism: 2.0,
            critic: 0.1,
            failure: -1.5,
            invalid: -3.0,
            rounds: 4,
            again: 0.5,
            whole: 1 << 15,
            sample: 1024,
            draws: 1 << 17,
            elite: 8,
            team: TeamConstants::default(),
            cost: GaussianProcessConstants::default(),
            validity: ValidityConstants::default(),
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
    /// Agents learn from their walks; without it they move as at first: at random, most knobs staying where they are.
    pub learning: bool,
    /// What is learnt from a failure.
    pub failures: Failures,
}

/// What is learnt from failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failures {
    /// That it is slow next to them: one smooth model of cost and failure, as sure of either as it has reason to be.
    Slow,
    /// How probable another one is, by boosted trees; what the cost model knows does not come from them.
    Trees,
    /// Nothing.
    Ignored,
}

impl Parts {
    /// The whole method.
    pub const ALL: Self = Self {
        ownership: Ownership::ByRole,
        independent_critics: false,
        confidence_sampling: true,
        agents: true,
        learning: true,
        failures: Failures::Slow,
    };

    /// What `arco` or one of its ablations consists of.
    pub(super) const fn of(kind: StrategyKind) -> Self {
        let all = Self::ALL;
        match kind {
            StrategyKind::ArcoWithoutHardware => Self {
                ownership: Ownership::WithoutHardware,
                ..all
            },
            StrategyKind::ArcoIndependentCritics => Self {
                independent_critics: true,
                ..all
            },
            StrategyKind::ArcoTopK => Self {
                confidence_sampling: false,
                ..all
            },
            StrategyKind::ArcoWithoutAgents => Self {
                agents: false,
                ..all
            },
            StrategyKind::ArcoWithoutLearning => Self {
                learning: false,
                ..all
            },
            StrategyKind::ArcoWithoutValidity => Self {
                failures: Failures::Ignored,
                ..all
            },
            StrategyKind::ArcoValidityTrees => Self {
                failures: Failures::Trees,
                ..all
            },
            StrategyKind::ArcoOneAgent => Self {
                ownership: Ownership::One,
                ..all
            },
            _ => all,
        }
    }
}
