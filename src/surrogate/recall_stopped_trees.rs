//! AutoTVM's XGBoost cost model, on another learner: boosted trees that grow until they rank what they were taught.
//!
//! `autotvm.tuner.XGBoostCostModel` of TVM 0.19 with its default `loss_type="reg"`: depth 3, eta 0.3, lambda 1,
//! gamma 1e-4, at most 8000 trees, and no more once the average recall of its own training data has not improved for
//! 20 rounds (looked at in every second round).

use forust_ml::objective::ObjectiveType;
use forust_ml::{GradientBooster, Matrix};

use super::{CostModel, FeatureTable};

/// Constants of [`RecallStoppedTrees`]; the defaults are AutoTVM's.
#[derive(Clone, Copy, Debug)]
pub struct RecallStoppedConstants {
    /// Shrinkage of each tree (`eta`).
    pub learning_rate: f32,
    /// Depth of a tree (`max_depth`).
    pub depth: usize,
    /// Fewest rows in a leaf (`min_child_weight`).
    pub min_leaf_rows: f32,
    /// Penalty of a leaf's weight (`lambda`).
    pub l2: f32,
    /// What a split must gain at least (`gamma`).
    pub gamma: f32,
    /// Most trees (`num_boost_round`).
    pub most_trees: usize,
    /// The recall is averaged over the best 1, 2, ... so many (`plan_size`).
    pub plan: usize,
    /// Rounds without a better recall after which no more trees are added (`stopping_rounds`).
    pub patience: usize,
}

impl Default for RecallStoppedConstants {
    fn default() -> Self {
        Self {
            learning_rate: 0.3,
            depth: 3,
            min_leaf_rows: 1.0,
            l2: 1.0,
            gamma: 1e-4,
            most_trees: 8000,
            plan: 64,
            patience: 20,
        }
    }
}

/// Trees grown at first; twice as many as long as the recall still improves.
const FIRST_TREES: usize = 64;

/// Boosted trees that stop growing when their recall does; single-threaded.
pub struct RecallStoppedTrees {
    constants: RecallStoppedConstants,
    booster: Option<GradientBooster>,
}

impl RecallStoppedTrees {
    /// A model that has learnt nothing yet.
    pub const fn new(constants: RecallStoppedConstants) -> Self {
        Self {
            constants,
            booster: None,
        }
    }

    /// Number of trees.
    pub fn trees(&self) -> usize {
        self.booster
            .as_ref()
            .map_or(0, |booster| booster.trees.len())
    }

    fn grown(
        &self,
        trees: usize,
        matrix: &Matrix<'_, f64>,
        targets: &[f64],
    ) -> Result<GradientBooster, String> {
        let mut booster = GradientBooster::default()
            .set_objective_type(ObjectiveType::SquaredLoss)
            .set_iterations(trees)
            .set_learning_rate(self.constants.learning_rate)
            .set_max_depth(self.constants.depth)
            .set_max_leaves(1 << self.constants.depth)
            .set_min_leaf_weight(self.constants.min_leaf_rows)
            .set_l2(self.constants.l2)
            .set_gamma(self.constants.gamma)
            .set_parallel(false);
        booster
            .fit_unweighted(matrix, targets, None)
            .map_err(|error| error.to_string())?;
        Ok(booster)
    }

    /// How many of the booster's trees are kept; none when the recall was still improving.
    fn stop(
        &self,
        booster: &GradientBooster,
        matrix: &Matrix<'_, f64>,
        targets: &[f64],
    ) -> Option<usize> {
        let mut predicted = vec![booster.base_score; matrix.rows];
        let ranks = ranks(targets);
        let (mut best, mut best_round) = (f64::NEG_INFINITY, 0);
        for (round, tree) in booster.trees.iter().enumerate() {
            for (sum, value) in predicted
                .iter_mut()
                .zip(tree.predict(matrix, false, &f64::NAN))
            {
                *sum += value;
            }
            if round % 2 == 1 {
                continue;
            }
            let recall = average_recall(&predicted, &ranks, self.constants.plan);
            if recall > best {
                (best, best_round) = (recall, round);
            } else if round - best_round >= self.constants.patience {
                return Some(round + 1);
            }
        }
        None
    }
}

/// The place of each value, the largest first.
fn ranks(values: &[f64]) -> Vec<usize> {
    let mut ranks = vec![0; values.len()];
    for (rank, place) in descending(values).into_iter().enumerate() {
        ranks[place] = rank;
    }
    ranks
}

fn descending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    order
}

/// AutoTVM's `a-recall@n`: of the first 1, 2, ... n by the model, how many belong there; on average.
///
/// Its curve is off by one in a way of its own (the first place counts nothing), and so is this one.
fn average_recall(predicted: &[f64], ranks: &[usize], n: usize) -> f64 {
    let order = descending(predicted);
    let sum: f64 = (0..order.len().min(n))
        .map(|i| {
            let found = order[..i].iter().filter(|&&place| ranks[place] <= i);
            found.count() as f64 / (i + 1) as f64
        })
        .sum();
    sum / n as f64
}

impl CostModel for RecallStoppedTrees {
    fn fit(&mut self, table: &FeatureTable, targets: &[f64]) -> Result<(), String> {
        let matrix = Matrix::new(&table.values, table.rows, table.columns);
        let mut trees = FIRST_TREES.min(self.constants.most_trees);
        loop {
            // Trees do not depend on how many follow, so growing anew only costs time.
            let mut booster = self.grown(trees, &matrix, targets)?;
            if let Some(kept) = self.stop(&booster, &matrix, targets) {
                booster.trees.truncate(kept);
                self.booster = Some(booster);
                return Ok(());
            }
            if trees >= self.constants.most_trees {
                self.booster = Some(booster);
                return Ok(());
            }
            trees = (trees * 2).min(self.constants.most_trees);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_recall_is_autotvms() {
        // What autotvm.tuner.metric.average_recall says of these predictions and labels.
        let labels = [4.0, 1.0, 2.0, 3.0];
        let ranks = ranks(&labels);
        assert_eq!(ranks, [0, 3, 2, 1]);
        let cases = [
            ([0.9, 0.1, 0.5, 0.3], 3, 0.388_888_888_888_888_84),
            ([0.2, 0.1, 0.5, 0.9], 4, 0.479_166_666_666_666_63),
            (labels, 3, 0.388_888_888_888_888_84),
        ];
        for (predicted, n, expected) in cases {
            let recall = average_recall(&predicted, &ranks, n);
            assert!((recall - expected).abs() < 1e-12, "{predicted:?}: {recall}");
        }
    }

    #[test]
    fn trees_are_added_until_the_training_data_is_ranked_and_no_longer() {
        let n = 100;
        let table = FeatureTable {
            rows: n,
            columns: 2,
            values: (0..n)
                .map(|i| (i % 10) as f64)
                .chain((0..n).map(|i| (i / 10) as f64))
                .collect(),
        };
        let targets: Vec<f64> = (0..n)
            .map(|i| ((i % 10) * (i / 10)) as f64 / 81.0)
            .collect();
        let mut model = RecallStoppedTrees::new(RecallStoppedConstants::default());
        model.fit(&table, &targets).unwrap();
        assert!((21..1000).contains(&model.trees()), "{}", model.trees());
        let predicted = model.predict(&table);
        assert_eq!(descending(&predicted)[0], n - 1);
    }

    #[test]
    fn equal_targets_need_few_trees() {
        let table = FeatureTable {
            rows: 8,
            columns: 1,
            values: (0..8).map(f64::from).collect(),
        };
        let mut model = RecallStoppedTrees::new(RecallStoppedConstants::default());
        model.fit(&table, &[1.0; 8]).unwrap();
        assert!(model.trees() <= 23, "{}", model.trees());
        assert!(
            model
                .predict(&table)
                .iter()
                .all(|value| (value - 1.0).abs() < 1e-3)
        );
    }
}
