//! What was measured so far, as cost models want it.

use crate::surrogate::{CostModel, KnobFeatures};
use crate::task::Digits;

use super::{Outcome, StrategyError};

/// Configurations that were measured, in the order they were told.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// The cost of each; none for a failure.
    rows: Vec<(Digits, Option<f64>)>,
}

impl Measured {
    pub fn push(&mut self, digits: Digits, outcome: Outcome) {
        self.rows.push((digits, outcome.comparable_cost()));
    }

    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Digits and cost of each.
    pub fn rows(&self) -> &[(Digits, Option<f64>)] {
        &self.rows
    }

    /// What did not fail.
    pub fn succeeded(&self) -> impl Iterator<Item = (&Digits, f64)> {
        self.rows
            .iter()
            .filter_map(|(digits, cost)| Some((digits, (*cost)?)))
    }

    /// The lowest cost; none while everything fails.
    pub fn best_cost(&self) -> Option<f64> {
        self.succeeded()
            .map(|(_, cost)| cost)
            .min_by(f64::total_cmp)
    }

    /// What did not fail, best first; equal ones in the order they were told.
    pub fn best_first(&self) -> Vec<&Digits> {
        let mut best: Vec<(&Digits, f64)> = self.succeeded().collect();
        best.sort_by(|a, b| a.1.total_cmp(&b.1));
        best.into_iter().map(|(digits, _)| digits).collect()
    }

    /// Teaches throughput relative to the best, `best / cost`, and 0 for a failure.
    pub fn teach(
        &self,
        model: &mut impl CostModel,
        features: &KnobFeatures,
        best: f64,
    ) -> Result<(), StrategyError> {
        let digits: Vec<&Digits> = self.rows.iter().map(|(digits, _)| digits).collect();
        let throughput = |(_, cost): &(Digits, Option<f64>)| cost.map_or(0.0, |cost| best / cost);
        let targets: Vec<f64> = self.rows.iter().map(throughput).collect();
        model
            .fit(&features.table(&digits), &targets)
            .map_err(StrategyError::model(targets.len()))
    }
}
