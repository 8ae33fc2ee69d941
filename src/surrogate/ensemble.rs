//! Several cost models that saw different halves of the data: their mean is better than each, and where they disagree
//! nobody knows.

use super::{BoostedTrees, BoostedTreesConstants, CostModel, FeatureTable};

/// Constants of an [`Ensemble`].
#[derive(Clone, Copy, Debug)]
pub struct EnsembleConstants {
    /// Number of members.
    pub members: usize,
    /// What every member has.
    pub trees: BoostedTreesConstants,
}

impl Default for EnsembleConstants {
    fn default() -> Self {
        Self {
            members: 4,
            trees: BoostedTreesConstants {
                trees: 60,
                learning_rate: 0.15,
                depth: 4,
                min_leaf_rows: 1.0,
                rows_per_tree: 0.8,
                columns_per_tree: 0.7,
                seed: 0,
            },
        }
    }
}

/// Boosted trees that differ in the rows and columns that each tree sees.
pub struct Ensemble {
    members: Vec<BoostedTrees>,
}

/// A prediction with its uncertainty.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Belief {
    /// Mean over members.
    pub mean: f64,
    /// Standard deviation over members.
    pub deviation: f64,
}

impl Ensemble {
    /// An ensemble that has learnt nothing yet.
    pub fn new(constants: EnsembleConstants) -> Self {
        let member = |i: usize| {
            BoostedTrees::new(BoostedTreesConstants {
                seed: constants.trees.seed + i as u64,
                ..constants.trees
            })
        };
        Self {
            members: (0..constants.members).map(member).collect(),
        }
    }

    /// Learns from scratch: every member that these rows have these targets.
    ///
    /// # Errors
    /// When the learner refuses the data; the text says why.
    pub fn fit(&mut self, table: &FeatureTable, targets: &[f64]) -> Result<(), String> {
        self.members
            .iter_mut()
            .try_for_each(|member| member.fit(table, targets))
    }

    /// What the members believe of each row.
    pub fn predict(&self, table: &FeatureTable) -> Vec<Belief> {
        let predictions: Vec<Vec<f64>> = self
            .members
            .iter()
            .map(|member| member.predict(table))
            .collect();
        let n = predictions.len().max(1) as f64;
        (0..table.rows)
            .map(|row| {
                let mean = predictions.iter().map(|p| p[row]).sum::<f64>() / n;
                let variance = predictions
                    .iter()
                    .map(|p| (p[row] - mean).powi(2))
                    .sum::<f64>()
                    / n;
                Belief {
                    mean,
                    deviation: variance.sqrt(),
                }
            })
            .collect()
    }
}
