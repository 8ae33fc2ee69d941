//! Gradient-boosted regression trees (the `forust-ml` crate) as a cost model.

use forust_ml::{GradientBooster, Matrix};

use super::{CostModel, FeatureTable};

/// Constants of the learner.
#[derive(Clone, Copy, Debug)]
pub struct BoostedTreesConstants {
    /// Number of trees.
    pub trees: usize,
    /// Shrinkage of each tree.
    pub learning_rate: f32,
    /// Depth of a tree.
    pub depth: usize,
    /// Fewest rows in a leaf.
    pub min_leaf_rows: f32,
}

impl Default for BoostedTreesConstants {
    fn default() -> Self {
        Self {
            trees: 100,
            learning_rate: 0.15,
            depth: 3,
            min_leaf_rows: 1.0,
        }
    }
}

/// Boosted trees, single-threaded and therefore the same on every run.
pub struct BoostedTrees {
    constants: BoostedTreesConstants,
    booster: Option<GradientBooster>,
}

impl BoostedTrees {
    /// A model that has learnt nothing yet.
    pub const fn new(constants: BoostedTreesConstants) -> Self {
        Self {
            constants,
            booster: None,
        }
    }
}

impl CostModel for BoostedTrees {
    fn fit(&mut self, table: &FeatureTable, targets: &[f64]) -> Result<(), String> {
        let matrix = Matrix::new(&table.values, table.rows, table.columns);
        let mut booster = GradientBooster::default()
            .set_iterations(self.constants.trees)
            .set_learning_rate(self.constants.learning_rate)
            .set_max_depth(self.constants.depth)
            // As many as a full tree has: the depth alone bounds it.
            .set_max_leaves(1 << self.constants.depth)
            .set_min_leaf_weight(self.constants.min_leaf_rows)
            .set_objective_type(forust_ml::objective::ObjectiveType::SquaredLoss)
            .set_parallel(false);
        booster
            .fit_unweighted(&matrix, targets, None)
            .map_err(|error| error.to_string())?;
        self.booster = Some(booster);
        Ok(())
    }

    fn predict(&self, table: &FeatureTable) -> Vec<f64> {
        match &self.booster {
            Some(booster) => {
                let matrix = Matrix::new(&table.values, table.rows, table.columns);
                booster.predict(&matrix, false)
            }
            None => vec![0.0; table.rows],
        }
    }
}
