//! `gbt-16`: boosted trees on knob features, refitted every batch of 16; the best by the model, and a few at random.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::seed::Seed;
use crate::surrogate::{BoostedTrees, BoostedTreesConstants, CostModel, KnobFeatures};
use crate::task::{ConfigIndex, ConfigSpace, Digits};

use super::candidates::{Scored, ranked_candidates};
use super::random::{Random, take_valid};
use super::{Observation, Outcome, Proposal, Strategy, StrategyError, StrategyKind, Why};

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
    /// Asked or told.
    known: HashSet<ConfigIndex>,
    measured: Vec<(Digits, Outcome)>,
    plan: VecDeque<Proposal>,
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
            known: HashSet::new(),
            measured: Vec::new(),
            plan: VecDeque::new(),
            space,
        }
    }

    fn make_plan(&mut self) -> Result<Vec<Proposal>, StrategyError> {
        let batch = self.constants.batch;
        let best = best_cost(&self.measured);
        let (true, Some(best)) = (self.measured.len() >= batch, best) else {
            return self.random.ask_unknown(batch, &self.known);
        };
        self.fit(best)?;
        let starts = self.starts();
        let mut ranked: VecDeque<Scored> =
            ranked_candidates(&self.space, &self.known, &starts, &mut self.rng, |digits| {
                self.model.predict(&self.features.table(digits))
            })
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
            return self.random.ask_unknown(batch, &self.known);
        }
        Ok(plan)
    }

    /// Teaches the model throughput relative to the best, `best / cost`, and 0 for a failure.
    fn fit(&mut self, best: f64) -> Result<(), StrategyError> {
        let digits: Vec<&Digits> = self.measured.iter().map(|(digits, _)| digits).collect();
        let targets: Vec<f64> = self
            .measured
            .iter()
            .map(|(_, outcome)| outcome.comparable_cost().map_or(0.0, |cost| best / cost))
            .collect();
        self.model
            .fit(&self.features.table(&digits), &targets)
            .map_err(|reason| StrategyError::Model {
                rows: targets.len(),
                reason,
            })
    }

    /// What was measured without failure, best first.
    fn starts(&self) -> Vec<Digits> {
        let mut starts: Vec<(f64, &Digits)> = self
            .measured
            .iter()
            .filter_map(|(digits, outcome)| Some((outcome.comparable_cost()?, digits)))
            .collect();
        starts.sort_by(|a, b| a.0.total_cmp(&b.0));
        starts
            .into_iter()
            .map(|(_, digits)| digits.clone())
            .collect()
    }
}

fn best_cost(measured: &[(Digits, Outcome)]) -> Option<f64> {
    measured
        .iter()
        .filter_map(|(_, outcome)| outcome.comparable_cost())
        .min_by(f64::total_cmp)
}

impl Strategy for Gbt {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Gbt16
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
            let digits = self.space.digits(observation.index)?;
            self.measured.push((digits, observation.outcome));
        }
        self.random.tell(observations)
    }
}
