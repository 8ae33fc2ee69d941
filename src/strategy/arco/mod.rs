//! `arco`: three agents explore, surrogates judge, confidence sampling chooses.

mod beliefs;
mod candidates;
mod constants;

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::agents::{Environment, Landscape, Team};
use crate::sampling::{Candidate, Chosen, Origin, confident_pool, top_batch};
use crate::seed::Seed;
use crate::task::{ConfigSpace, Digits, TaskContext};

use super::measured::Measured;
use super::plan::{Plan, Planner};
use super::random::Random;
use super::{Observation, Proposal, Strategy, StrategyError, StrategyKind, Why};
use beliefs::Beliefs;
pub use constants::{ArcoConstants, Parts};

/// The method of the house (ARCO, arXiv 2407.08192), or what an ablation leaves of it.
pub struct Arco {
    kind: StrategyKind,
    parts: Parts,
    constants: ArcoConstants,
    environment: Environment,
    beliefs: Beliefs,
    team: Team,
    random: Random,
    rng: ChaCha8Rng,
    measured: Measured,
    plan: Plan,
}

impl Arco {
    /// Search over `space`. Draws come from the streams `agents`, `arco` and `random` of `seed`.
    ///
    /// # Errors
    /// When the agents' networks cannot be made.
    pub fn new(
        kind: StrategyKind,
        space: Arc<ConfigSpace>,
        context: &TaskContext,
        seed: Seed,
        constants: ArcoConstants,
    ) -> Result<Self, StrategyError> {
        let parts = Parts::of(kind);
        let beliefs = Beliefs::new(Arc::clone(&space), constants.cost, constants.validity);
        Ok(Self {
            kind,
            parts,
            constants,
            environment: Environment::new(Arc::clone(&space), context, parts.ownership),
            beliefs,
            team: Team::new(constants.team, parts.independent_critics, seed)?,
            random: Random::new(space, seed),
            rng: seed.stream("arco"),
            measured: Measured::default(),
            plan: Plan::default(),
        })
    }

    /// The batch out of the candidates.
    fn choose(&mut self, candidates: &[Candidate], n: usize) -> Result<Vec<Chosen>, StrategyError> {
        if !self.parts.confidence_sampling {
            return Ok(top_batch(candidates, n));
        }
        let Self {
            beliefs,
            constants,
            environment,
            plan,
            rng,
            ..
        } = self;
        let optimism = constants.optimism;
        let mut pool = confident_pool(
            candidates,
            n,
            environment.space(),
            &plan.known,
            |digits| {
                beliefs
                    .look(digits)
                    .iter()
                    .map(|s| (s.validity >= 0.5).then_some(s.score + optimism * s.uncertainty))
                    .collect()
            },
            &constants.confidence,
            rng,
        )?;
        let digits: Vec<Digits> = pool.iter().map(|c| c.candidate.digits.clone()).collect();
        // What the confidence says besides score and uncertainty, which are about to change.
        let extra: Vec<f64> = beliefs
            .look(&digits)
            .iter()
            .zip(&pool)
            .map(|(s, c)| c.candidate.confidence - s.score - optimism * s.uncertainty)
            .collect();
        let order = beliefs.spread(&digits, &extra, n, optimism);
        let mut pool: Vec<Option<Chosen>> = pool.drain(..).map(Some).collect();
        Ok(order.into_iter().filter_map(|i| pool[i].take()).collect())
    }
}

fn proposal(chosen: &Chosen) -> Proposal {
    Proposal {
        index: chosen.candidate.index,
        why: match chosen.origin {
            Origin::Drawn => Why::Agents,
            Origin::Synthesised => Why::Synthesised,
        },
    }
}

impl Planner for Arco {
    fn make_plan(&mut self) -> Result<Vec<Proposal>, StrategyError> {
        let batch = self.constants.batch;
        let succeeded = self.measured.succeeded().count();
        if self.measured.len() < self.constants.initial || succeeded < 2 {
            return self.random.ask_unknown(batch, &self.plan.known);
        }
        self.beliefs
            .fit(self.measured.rows(), self.parts.validity_model)
            .map_err(|reason| StrategyError::Model {
                rows: self.measured.len(),
                reason,
            })?;
        let candidates = self.candidates()?;
        let chosen = self.choose(&candidates, batch)?;
        let mut plan: Vec<Proposal> = chosen.iter().map(proposal).collect();
        let mut taken = self.plan.known.clone();
        taken.extend(plan.iter().map(|p| p.index));
        // Little is left of a space when nothing new was found: the rest comes in a random order.
        plan.extend(self.random.ask_unknown(batch - plan.len(), &taken)?);
        Ok(plan)
    }

    fn plan(&mut self) -> &mut Plan {
        &mut self.plan
    }
}

impl Strategy for Arco {
    fn kind(&self) -> StrategyKind {
        self.kind
    }

    fn batch(&self) -> usize {
        self.constants.batch
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        self.ask_planned(n)
    }

    fn tell(&mut self, observations: &[Observation]) -> Result<(), StrategyError> {
        for observation in observations {
            self.plan.known.insert(observation.index);
            let digits = self.environment.space().digits(observation.index)?;
            self.measured.push(digits, observation.outcome);
        }
        self.random.tell(observations)
    }
}
