//! What is believed of configurations that were not measured.

mod boosted_trees;
mod features;
mod gaussian_process;
mod hidden;
mod recall_stopped_trees;
mod validity;

pub use boosted_trees::{BoostedTrees, BoostedTreesConstants};
pub use features::KnobFeatures;
pub use gaussian_process::{Belief, GaussianProcess, GaussianProcessConstants};
pub use hidden::HiddenFeatures;
pub use recall_stopped_trees::{RecallStoppedConstants, RecallStoppedTrees};
pub use validity::{ValidityConstants, ValidityModel};

/// Feature rows, stored by column because tree learners read columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureTable {
    /// Number of rows (configurations).
    pub rows: usize,
    /// Number of columns (features).
    pub columns: usize,
    /// Values; feature `c` of row `r` is `values[c * rows + r]`.
    pub values: Vec<f64>,
}

/// A model that predicts one number per configuration.
pub trait CostModel: Send {
    /// Learns from scratch that `table`'s rows have these targets (one per row, larger is better).
    ///
    /// # Errors
    /// When the learner refuses the data; the text says why.
    fn fit(&mut self, table: &FeatureTable, targets: &[f64]) -> Result<(), String>;

    /// Predicts the target of each row; 0 for every row before the first fit.
    fn predict(&self, table: &FeatureTable) -> Vec<f64>;
}
