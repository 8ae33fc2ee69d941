//! What a run on a recorded space is worth.

use crate::measure::recorded::RecordedSpace;

use super::expectation::random_expectation;
use super::run::History;

/// Evaluations from which the score counts: a first batch is random for nearly every strategy.
pub const SCORE_FROM: usize = 16;
/// Evaluations up to which the score counts.
pub const SCORE_TO: usize = 256;
/// The score ends where random search is expected to have less than this share left to find: beyond, in a small space,
/// it would compare hundredths of a percent.
const LEAST_LEFT: f64 = 0.01;

/// What runs on one space are held against.
#[derive(Clone, Debug)]
pub struct Yardstick {
    /// Seconds of the fastest configuration.
    pub optimum: f64,
    /// Random search's expected share of the optimum after 1, 2, ... evaluations.
    pub expectation: Vec<f64>,
    budget: usize,
    within: Vec<f64>,
}

impl Yardstick {
    /// For runs of `budget` evaluations; `None` where every configuration fails.
    pub fn new(recorded: &RecordedSpace, budget: usize) -> Option<Self> {
        let mut costs: Vec<f64> = recorded.costs().collect();
        costs.sort_by(f64::total_cmp);
        Some(Self {
            optimum: recorded.optimum()?,
            expectation: random_expectation(&costs, recorded.configurations(), budget),
            budget,
            within: costs,
        })
    }

    /// How many configurations reach this share of the optimum.
    pub fn reaching(&self, share: f64) -> usize {
        self.within
            .partition_point(|cost| reaches(self.optimum / cost, share))
    }

    /// The share of the optimum (optimum / best so far) after 1, 2, ... `budget` evaluations; 0 before anything ran.
    /// A run that ended early stays where it ended.
    pub fn curve(&self, history: &History) -> Vec<f64> {
        let mut costs = history.costs();
        let mut best = f64::INFINITY;
        (0..self.budget)
            .map(|_| {
                if let Some(Some(cost)) = costs.next() {
                    best = best.min(cost);
                }
                self.optimum / best
            })
            .collect()
    }

    /// The evaluations over which the score is taken: from 16 to 256, the budget, or where random search is expected to
    /// be within 1 % of the optimum, whichever comes first. Empty for a budget or a space that is too small.
    pub fn scored(&self) -> std::ops::Range<usize> {
        let open = self
            .expectation
            .iter()
            .take(SCORE_TO)
            .take_while(|expected| 1.0 - **expected >= LEAST_LEFT)
            .count();
        // Positions count from 0: after 16 evaluations is position 15.
        SCORE_FROM - 1..open.max(SCORE_FROM - 1)
    }

    /// The mean over the scored evaluations of (share - random's expectation) / (1 - random's expectation): 0 is random
    /// search, 1 is the optimum from the start. `None` where nothing is scored.
    pub fn score(&self, curve: &[f64]) -> Option<f64> {
        let scored = self.scored();
        if scored.is_empty() {
            return None;
        }
        let n = scored.len() as f64;
        let gained = scored.map(|i| {
            let expected = self.expectation[i];
            (curve[i] - expected) / (1.0 - expected)
        });
        Some(gained.sum::<f64>() / n)
    }

    /// Evaluations until this share of the optimum is reached.
    pub fn evaluations_to(&self, curve: &[f64], share: f64) -> Option<usize> {
        let found = curve.iter().position(|reached| reaches(*reached, share));
        found.map(|position| position + 1)
    }
}

fn reaches(reached: f64, share: f64) -> bool {
    reached >= share
}
