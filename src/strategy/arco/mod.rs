//! `arco`: three agents explore, surrogates judge, confidence sampling chooses.

mod beliefs;
mod candidates;
mod constants;
mod suggestion;

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::agents::{Environment, Landscape, Standing};
use crate::sampling::{Candidate, Chosen, Origin, confident_pool, top_batch};
use crate::seed::Seed;
use crate::task::{ConfigIndex, ConfigSpace, Digits, TaskContext};
use crate::transfer::{DescribedSpace, Knowledge, TaskKnowledge};

use super::measured::Measured;
use super::plan::{Plan, Planner};
use super::random::Random;
use super::{Observation, Proposal, Strategy, StrategyError, StrategyKind, Why};
use beliefs::Beliefs;
pub use constants::{ArcoConstants, Parts};
use suggestion::Suggestion;

/// The method of the house (ARCO, arXiv 2407.08192), or what an ablation leaves of it.
pub struct Arco {
    kind: StrategyKind,
    parts: Parts,
    constants: ArcoConstants,
    environment: Environment,
    beliefs: Beliefs,
    knowledge: TaskKnowledge,
    /// The space as other tasks' searches would describe it.
    described: Option<DescribedSpace>,
    /// Measurements at which other tasks are heard again.
    hear_at: usize,
    seed: Seed,
    random: Random,
    rng: ChaCha8Rng,
    measured: Measured,
    plan: Plan,
    /// Every valid configuration of a small space, once it was asked for.
    all: Option<Vec<(ConfigIndex, Digits)>>,
    /// Random configurations of a larger one that were new in the last sample.
    sampled: Vec<Digits>,
}

impl Arco {
    /// Search over `space`, with what the searches that share `knowledge` know. Draws come from the streams `agents`
    /// (where no other search has made the agents), `arco` and `random` of `seed`.
    pub fn new(
        kind: StrategyKind,
        space: Arc<ConfigSpace>,
        context: &TaskContext,
        seed: Seed,
        knowledge: &Knowledge,
        constants: ArcoConstants,
    ) -> Self {
        let parts = Parts::of(kind);
        let beliefs = Beliefs::new(Arc::clone(&space), parts.failures, &constants);
        let described = DescribedSpace::of(context, &space);
        let template = described.as_ref().map(|space| space.template().clone());
        let knowledge = knowledge.begin(context, template);
        Self {
            kind,
            parts,
            constants,
            environment: Environment::new(Arc::clone(&space), context, parts.ownership),
            beliefs,
            knowledge,
            described,
            hear_at: 0,
            seed,
            random: Random::new(space, seed),
            rng: seed.stream("arco"),
            measured: Measured::default(),
            plan: Plan::default(),
            all: None,
            sampled: Vec::new(),
        }
    }

    /// Hears what other tasks suggest, at first and whenever twice as much was measured of this one.
    fn hear(&mut self) -> Result<(), StrategyError> {
        let Some(described) = &self.described else {
            return Ok(());
        };
        let measured = self.measured.len();
        if measured >= self.hear_at {
            self.hear_at = (2 * measured).max(1);
            let prior = self.knowledge.prior();
            let prior = prior.map_err(StrategyError::model(measured))?;
            let suggestion = prior.map(|prior| Suggestion::new(prior, described.clone()));
            self.beliefs.heed(suggestion);
        }
        Ok(())
    }

    /// What was asked for and not yet told.
    fn pending(&self) -> Result<Vec<Digits>, StrategyError> {
        let space = self.environment.space();
        let pending = self.plan.pending.iter();
        Ok(pending
            .map(|&index| space.digits(index))
            .collect::<Result<_, _>>()?)
    }

    /// A plan with what it lacks to a batch, drawn at random.
    fn filled_at_random(
        &mut self,
        mut plan: Vec<Proposal>,
    ) -> Result<Vec<Proposal>, StrategyError> {
        let mut taken = self.plan.known.clone();
        taken.extend(plan.iter().map(|proposal| proposal.index));
        let missing = self.constants.batch - plan.len();
        plan.extend(self.random.ask_unknown(missing, &taken)?);
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
                let standings = beliefs.look(digits)?.into_iter();
                let rate =
                    |s: Standing| (s.validity >= 0.5).then_some(s.score + optimism * s.uncertainty);
                Ok::<_, StrategyError>(standings.map(rate).collect())
            },
            &constants.confidence,
            rng,
        )?;
        let digits: Vec<Digits> = pool.iter().map(|c| c.candidate.digits.clone()).collect();
        // What the confidence says besides score and uncertainty, which are about to change.
        let extra: Vec<f64> = beliefs
            .look(&digits)?
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
        self.hear()?;
        let heard = self.beliefs.is_suggested();
        let initial = if heard { batch } else { self.constants.initial };
        let succeeded = self.measured.succeeded().count();
        let begun = self.plan.known.len() >= initial && self.measured.len() >= batch;
        if !begun || succeeded < 2 {
            return self.first_plan();
        }
        let pending = self.pending()?;
        self.beliefs
            .fit(self.measured.rows(), &pending)
            .map_err(StrategyError::model(self.measured.len()))?;
        let candidates = self.candidates()?;
        let chosen = self.choose(&candidates, batch)?;
        // Little is left of a space when nothing new was found: the rest comes in a random order.
        self.filled_at_random(chosen.iter().map(proposal).collect())
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
            self.plan.told(observation.index);
            let digits = self.environment.space().digits(observation.index)?;
            if let Some(described) = &self.described {
                let numbers = described.numbers(&digits);
                self.knowledge
                    .add(numbers, observation.outcome.comparable_cost());
            }
            self.measured.push(digits, observation.outcome);
        }
        self.random.tell(observations)
    }
}
