//! `ml2`: ML2Tuner (arXiv 2411.10764), re-implemented: there is no public code.
//!
//! Three models. P predicts performance and V predicts validity, both from the knobs; together they pick (a + 1) N
//! candidates. These are compiled, and A predicts performance again, now with the hidden features that compilation
//! reveals; the best N by A are measured. Where nobody provides hidden features, P and V pick the N at once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::seed::Seed;
use crate::surrogate::{
    BoostedTrees, BoostedTreesConstants, CostModel, FeatureTable, HiddenFeatures, KnobFeatures,
    ValidityConstants, ValidityModel,
};
use crate::task::{ConfigIndex, ConfigSpace, Digits};

use super::candidates::ranked_candidates;
use super::measured::Measured;
use super::plan::{Plan, Planner};
use super::random::{Random, take_valid};
use super::{Observation, Proposal, Strategy, StrategyError, StrategyKind, Why};

/// Constants of [`Ml2`]. What is public of the paper gives neither N nor a.
#[derive(Clone, Copy, Debug)]
pub struct Ml2Constants {
    /// Measurements between two fits, and random ones before the first (N).
    pub batch: usize,
    /// Candidates beyond those, as a multiple of them, that are compiled and not measured (a).
    pub extra: usize,
    /// Least probability of validity (V) of a candidate, as long as there are enough of them.
    pub validity: f64,
    /// P and A.
    pub trees: BoostedTreesConstants,
    /// V.
    pub validity_trees: ValidityConstants,
}

impl Default for Ml2Constants {
    fn default() -> Self {
        Self {
            batch: 16,
            extra: 1,
            validity: 0.5,
            trees: BoostedTreesConstants::default(),
            validity_trees: ValidityConstants::default(),
        }
    }
}

/// What compiling a configuration revealed; none where it did not compile.
type Revealed = Option<Vec<f64>>;

/// Search by predicted performance, predicted validity and hidden features.
pub struct Ml2 {
    space: Arc<ConfigSpace>,
    constants: Ml2Constants,
    features: KnobFeatures,
    hidden: Option<Arc<dyn HiddenFeatures>>,
    performance: BoostedTrees,
    validity: ValidityModel,
    rng: ChaCha8Rng,
    random: Random,
    measured: Measured,
    revealed: HashMap<ConfigIndex, Revealed>,
    plan: Plan,
}

impl Ml2 {
    /// Search over `space`; draws come from the streams `ml2` and `random` of `seed`.
    pub fn new(
        space: Arc<ConfigSpace>,
        seed: Seed,
        constants: Ml2Constants,
        hidden: Option<Arc<dyn HiddenFeatures>>,
    ) -> Self {
        Self {
            constants,
            features: KnobFeatures::new(&space),
            hidden,
            performance: BoostedTrees::new(constants.trees),
            validity: ValidityModel::new(constants.validity_trees),
            rng: seed.stream("ml2"),
            random: Random::new(Arc::clone(&space), seed),
            measured: Measured::default(),
            revealed: HashMap::new(),
            plan: Plan::default(),
            space,
        }
    }

    /// (a + 1) N configurations by P, those first that are valid by V.
    fn candidates(&mut self, best: f64) -> Result<Vec<Proposal>, StrategyError> {
        self.fit_validity()?;
        self.fit_performance(best)?;
        let starts: Vec<Digits> = self.measured.best_first().into_iter().cloned().collect();
        let score = |digits: &[Digits]| {
            let table = self.features.table(digits);
            let validity = self.validity.probability(&table);
            let performance = self.performance.predict(&table);
            let score = |(performance, validity): (f64, f64)| {
                if validity >= self.constants.validity {
                    // Above every probability: a prediction of throughput relative to the best is about 0 to 1.
                    2.0 + performance.clamp(-1.0, 2.0)
                } else {
                    validity
                }
            };
            performance.into_iter().zip(validity).map(score).collect()
        };
        let mut ranked = VecDeque::from(ranked_candidates(
            &self.space,
            &self.plan.known,
            &starts,
            &mut self.rng,
            score,
        ));
        let extra = if self.hidden.is_some() {
            self.constants.extra
        } else {
            0
        };
        let candidates = self.constants.batch * (extra + 1);
        let mut chosen = take_valid(&self.space, candidates, Why::Model, || {
            ranked.pop_front().map(|scored| scored.index)
        })?;
        // A sample of a large space may hold nothing that is valid and unknown.
        if chosen.is_empty() {
            chosen = self
                .random
                .ask_unknown(self.constants.batch, &self.plan.known)?;
        }
        Ok(chosen)
    }

    /// Compiles the candidates; the best N by A, those last that do not compile.
    fn chosen_by_hidden(
        &mut self,
        hidden: &dyn HiddenFeatures,
        mut candidates: Vec<Proposal>,
        best: f64,
    ) -> Result<Vec<Proposal>, StrategyError> {
        let index = |(digits, _): &(Digits, Option<f64>)| self.space.index(digits);
        let measured = self.measured.rows().iter().map(index);
        let wanted: Vec<ConfigIndex> = candidates
            .iter()
            .map(|proposal| proposal.index)
            .chain(measured)
            .filter(|index| !self.revealed.contains_key(index))
            .collect();
        let revealed = hidden
            .reveal(&wanted)
            .map_err(StrategyError::HiddenFeatures)?;
        self.revealed.extend(wanted.into_iter().zip(revealed));

        let (mut digits, mut rows, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        for (config, cost) in self.measured.succeeded() {
            if let Some(row) = &self.revealed[&self.space.index(config)] {
                digits.push(config);
                rows.push(row);
                targets.push(best / cost);
            }
        }
        let columns = hidden.columns();
        let mut again = BoostedTrees::new(self.constants.trees);
        if !targets.is_empty() {
            let table = with_hidden(self.features.table(&digits), &rows, columns);
            again
                .fit(&table, &targets)
                .map_err(StrategyError::model(targets.len()))?;
        }
        let mut scores: HashMap<ConfigIndex, f64> = HashMap::new();
        for proposal in &candidates {
            if let Some(row) = &self.revealed[&proposal.index] {
                let digits = self.space.digits(proposal.index)?;
                let table = with_hidden(self.features.table(&[digits]), &[row], columns);
                scores.insert(proposal.index, again.predict(&table)[0]);
            }
        }
        // Equal ones stay in P's order.
        let score = |proposal: &Proposal| scores.get(&proposal.index).copied();
        candidates.sort_by(|a, b| {
            let (a, b) = (score(a), score(b));
            b.unwrap_or(f64::NEG_INFINITY)
                .total_cmp(&a.unwrap_or(f64::NEG_INFINITY))
        });
        candidates.truncate(self.constants.batch);
        Ok(candidates)
    }

    /// Teaches P throughput relative to the best, of what did not fail.
    fn fit_performance(&mut self, best: f64) -> Result<(), StrategyError> {
        let succeeded = self.measured.succeeded();
        let (digits, targets): (Vec<&Digits>, Vec<f64>) = succeeded
            .map(|(digits, cost)| (digits, best / cost))
            .unzip();
        self.performance
            .fit(&self.features.table(&digits), &targets)
            .map_err(StrategyError::model(targets.len()))
    }

    /// Teaches V what was measured without failure, and what did not even compile.
    fn fit_validity(&mut self) -> Result<(), StrategyError> {
        let mut digits: Vec<Digits> = Vec::new();
        let mut valid = Vec::new();
        for (config, cost) in self.measured.rows() {
            digits.push(config.clone());
            valid.push(cost.is_some());
        }
        let mut refused: Vec<ConfigIndex> = self
            .revealed
            .iter()
            .filter(|(index, revealed)| revealed.is_none() && !self.plan.known.contains(index))
            .map(|(index, _)| *index)
            .collect();
        refused.sort_unstable();
        for index in refused {
            digits.push(self.space.digits(index)?);
            valid.push(false);
        }
        self.validity
            .fit(&self.features.table(&digits), &valid)
            .map_err(StrategyError::model(valid.len()))
    }
}

/// Knob features, and hidden ones behind them.
fn with_hidden(mut table: FeatureTable, rows: &[&Vec<f64>], columns: usize) -> FeatureTable {
    for c in 0..columns {
        table.values.extend(rows.iter().map(|row| row[c]));
    }
    table.columns += columns;
    table
}

impl Planner for Ml2 {
    fn make_plan(&mut self) -> Result<Vec<Proposal>, StrategyError> {
        if self.measured.len() < self.constants.batch {
            return self
                .random
                .ask_unknown(self.constants.batch, &self.plan.known);
        }
        let candidates = match self.measured.best_cost() {
            Some(best) => self.candidates(best)?,
            // With nothing but failures there is no performance to predict, and V alone would stay where it is.
            None => self
                .random
                .ask_unknown(self.constants.batch, &self.plan.known)?,
        };
        match (self.hidden.clone(), self.measured.best_cost()) {
            (Some(hidden), Some(best)) => self.chosen_by_hidden(&*hidden, candidates, best),
            _ => Ok(candidates.into_iter().take(self.constants.batch).collect()),
        }
    }

    fn plan(&mut self) -> &mut Plan {
        &mut self.plan
    }
}

impl Strategy for Ml2 {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Ml2
    }

    fn batch(&self) -> usize {
        self.constants.batch
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        self.ask_planned(n)
    }

    fn tell(&mut self, observations: &[Observation]) -> Result<(), StrategyError> {
        for observation in observations {
            let digits = self.space.digits(observation.index)?;
            self.plan.told(observation.index);
            self.measured.push(digits, observation.outcome);
        }
        self.random.tell(observations)
    }
}
