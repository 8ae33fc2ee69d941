//! `arco`: three agents explore, surrogates judge, confidence sampling chooses.

mod beliefs;
mod candidates;
mod constants;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::agents::{Environment, Landscape, Team};
use crate::sampling::{Candidate, Chosen, Origin, confident_pool, top_batch};
use crate::seed::Seed;
use crate::task::{ConfigIndex, ConfigSpace, Digits, TaskContext};

use super::random::Random;
use super::{Observation, Outcome, Proposal, Strategy, StrategyError, StrategyKind, Why};
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
    known: HashSet<ConfigIndex>,
    /// Digits and cost of what was measured; no cost for a failure.
    measured: Vec<(Digits, Option<f64>)>,
    plan: VecDeque<Proposal>,
}

impl Arco {
    /// Search over `space`. Draws come from the streams `agents`, `arco` and `random` of `seed`.
    ///
    /// # Errors
    /// When the agents' networks cannot be made.
    pub fn new(
        kind: StrategyKind,
        parts: Parts,
        space: Arc<ConfigSpace>,
        context: &TaskContext,
        seed: Seed,
        constants: ArcoConstants,
    ) -> Result<Self, StrategyError> {
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
            known: HashSet::new(),
            measured: Vec::new(),
            plan: VecDeque::new(),
        })
    }

    fn make_plan(&mut self) -> Result<Vec<Proposal>, StrategyError> {
        let batch = self.constants.batch;
        let succeeded = self.measured.iter().filter(|(_, cost)| cost.is_some());
        if self.measured.len() < self.constants.initial || succeeded.count() < 2 {
            return self.random_unknown(batch, &HashSet::new());
        }
        self.beliefs
            .fit(&self.measured, self.parts.validity_model)
            .map_err(|reason| StrategyError::Model {
                rows: self.measured.len(),
                reason,
            })?;
        let candidates = self.candidates()?;
        let chosen = self.choose(&candidates, batch)?;
        let mut plan: Vec<Proposal> = chosen.iter().map(proposal).collect();
        let planned: HashSet<ConfigIndex> = plan.iter().map(|p| p.index).collect();
        // Little is left of a space when nothing new was found: the rest comes in a random order.
        plan.extend(self.random_unknown(batch - plan.len(), &planned)?);
        Ok(plan)
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
            known,
            rng,
            ..
        } = self;
        let optimism = constants.optimism;
        let mut pool = confident_pool(
            candidates,
            n,
            environment.space(),
            known,
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

    /// Up to `n` random configurations that are neither known nor `planned`; each is drawn once in a search.
    fn random_unknown(
        &mut self,
        n: usize,
        planned: &HashSet<ConfigIndex>,
    ) -> Result<Vec<Proposal>, StrategyError> {
        let mut plan = Vec::new();
        while plan.len() < n {
            let drawn = self.random.ask(n - plan.len())?;
            if drawn.is_empty() {
                break;
            }
            let new = |p: &Proposal| !self.known.contains(&p.index) && !planned.contains(&p.index);
            plan.extend(drawn.into_iter().filter(new));
        }
        Ok(plan)
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

impl Strategy for Arco {
    fn kind(&self) -> StrategyKind {
        self.kind
    }

    fn batch(&self) -> usize {
        self.constants.batch
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        let mut asked = Vec::with_capacity(n);
        while asked.len() < n {
            if self.plan.is_empty() {
                self.plan = self.make_plan()?.into();
            }
            let Some(proposal) = self.plan.pop_front() else {
                break;
            };
            // It may have been told of since it was planned.
            if self.known.insert(proposal.index) {
                asked.push(proposal);
            }
        }
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation]) -> Result<(), StrategyError> {
        for observation in observations {
            self.known.insert(observation.index);
            let digits = self.environment.space().digits(observation.index)?;
            let cost = match observation.outcome {
                Outcome::Cost(cost) if cost.is_finite() && cost > 0.0 => Some(cost),
                _ => None,
            };
            self.measured.push((digits, cost));
        }
        self.random.tell(observations)
    }
}
