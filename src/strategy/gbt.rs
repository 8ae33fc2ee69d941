//! `gbt-16`: boosted trees on knob features, refitted every batch of 16; the best by the model, and a few at random.

use std::collections::VecDeque;
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::seed::Seed;
use crate::surrogate::{BoostedTrees, BoostedTreesConstants, CostModel, KnobFeatures};
use crate::task::{ConfigSpace, Digits};

use super::candidates::{Scored, ranked_candidates};
use super::measured::Measured;
use super::plan::{Plan, Planner};
use super::random::{Random, take_valid};
use super::{Observation, Proposal, Strategy, StrategyError, StrategyKind, Why};

/// Constants of [`Gbt`].
#[derive(Clone, Copy, Debug)]
pub struct GbtConstants {
    /// Measurements between two fits, and random ones before the first.
    pub batch: usize,
    /// How many of a batch are drawn at random instead of by the model.
    pub explore: usize,
    /// The cost model's constants.
    pub trees: BoostedTreesConstants,
}

impl Default for GbtConstants {
    fn default() -> Self {
        Self {
            batch: 16,
            explore: 2,
            trees: BoostedTreesConstants::default(),
        }
    }
}

/// Greedy search by a cost model.
pub struct Gbt {
    space: Arc<ConfigSpace>,
    constants: GbtConstants,
    features: KnobFeatures,
    model: BoostedTrees,
    rng: ChaCha8Rng,
    /// Draws the batches before the first fit; it repeats nothing it was told of.
    random: Random,
    measured: Measured,
    plan: Plan,
}

impl Gbt {
    /// Search over `space`; draws come from the streams `gbt` and `random` of `seed`.
    pub fn new(space: Arc<ConfigSpace>, seed: Seed, constants: GbtConstants) -> Self {
        Self {
            constants,
            features: KnobFeatures::new(&space),
            model: BoostedTrees::new(constants.trees),
            rng: seed.stream("gbt"),
            random: Random::new(Arc::clone(&space), seed),
            measured: Measured::default(),
            plan: Plan::default(),
            space,
        }
    }
}

impl Planner for Gbt {
    fn make_plan(&mut self) -> Result<Vec<Proposal>, StrategyError> {
        let batch = self.constants.batch;
        let best = self.measured.best_cost();
        let (true, Some(best)) = (self.measured.len() >= batch, best) else {
            return self.random.ask_unknown(batch, &self.plan.known);
        };
        self.measured.teach(&mut self.model, &self.features, best)?;
        let starts: Vec<Digits> = self.measured.best_first().into_iter().cloned().collect();
        let mut ranked: VecDeque<Scored> = ranked_candidates(
            &self.space,
            &self.plan.known,
            &starts,
            &mut self.rng,
            |digits| self.model.predict(&self.features.table(digits)),
        )
        .into();
        let greedy = batch - self.constants.explore;
        let mut plan = take_valid(&self.space, greedy, Why::Model, || {
            ranked.pop_front().map(|scored| scored.index)
        })?;
        let mut rest = Vec::from(ranked);
        plan.extend(take_valid(
            &self.space,
            batch - plan.len(),
            Why::Random,
            || {
                (!rest.is_empty())
                    .then(|| rest.swap_remove(self.rng.random_range(0..rest.len())).index)
            },
        )?);
        // A sample of a large space may hold nothing that is valid and unknown.
        if plan.is_empty() {
            return self.random.ask_unknown(batch, &self.plan.known);
        }
        Ok(plan)
    }

    fn plan(&mut self) -> &mut Plan {
        &mut self.plan
    }
}

impl Strategy for Gbt {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Gbt16
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
            let digits = self.space.digits(observation.index)?;
            self.measured.push(digits, observation.outcome);
        }
        self.random.tell(observations)
    }
}
