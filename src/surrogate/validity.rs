//! Which configurations will work at all: boosted trees on the logistic loss.

use forust_ml::objective::ObjectiveType;
use forust_ml::{GradientBooster, Matrix};

use super::FeatureTable;

/// Constants of [`ValidityModel`].
#[derive(Clone, Copy, Debug)]
pub struct ValidityConstants {
    /// Number of trees.
    pub trees: usize,
    /// Shrinkage of each tree.
    pub learning_rate: f32,
    /// Depth of a tree.
    pub depth: usize,
    /// Least sum of p (1 - p) over the rows of a leaf, p being the probability that the trees before it give: at the
    /// first tree and even odds, four times as many rows.
    pub min_leaf_weight: f32,
}

impl Default for ValidityConstants {
    fn default() -> Self {
        Self {
            trees: 50,
            learning_rate: 0.3,
            depth: 3,
            min_leaf_weight: 0.5,
        }
    }
}

/// Predicts the probability that a configuration builds and runs. Single-threaded, the same on every run.
pub struct ValidityModel {
    constants: ValidityConstants,
    /// None while all that was seen is of one kind.
    booster: Option<GradientBooster>,
    /// The probability while there are no trees.
    share: f64,
}

impl ValidityModel {
    /// A model that has seen nothing yet and gives everything a half.
    pub const fn new(constants: ValidityConstants) -> Self {
        Self {
            constants,
            booster: None,
            share: 0.5,
        }
    }

    /// Learns from scratch that `table`'s rows were valid or not (one answer per row).
    ///
    /// # Errors
    /// When the learner refuses the data; the text says why.
    pub fn fit(&mut self, table: &FeatureTable, valid: &[bool]) -> Result<(), String> {
        let count = valid.iter().filter(|&&valid| valid).count();
        // Laplace's rule of succession: a few successes do not make a failure impossible.
        self.share = (count + 1) as f64 / (valid.len() + 2) as f64;
        self.booster = None;
        // With one kind only, there is nothing to tell apart and the log-odds to start from are infinite.
        if count == 0 || count == valid.len() || table.columns == 0 {
            return Ok(());
        }
        let targets: Vec<f64> = valid.iter().map(|&valid| f64::from(valid)).collect();
        let matrix = Matrix::new(&table.values, table.rows, table.columns);
        let mut booster = GradientBooster::default()
            .set_objective_type(ObjectiveType::LogLoss)
            .set_iterations(self.constants.trees)
            .set_learning_rate(self.constants.learning_rate)
            .set_max_depth(self.constants.depth)
            .set_max_leaves(1 << self.constants.depth)
            .set_min_leaf_weight(self.constants.min_leaf_weight)
            .set_parallel(false);
        booster
            .fit_unweighted(&matrix, &targets, None)
            .map_err(|error| error.to_string())?;
        self.booster = Some(booster);
        Ok(())
    }

    /// The probability that each row is valid, between 0 and 1.
    pub fn probability(&self, table: &FeatureTable) -> Vec<f64> {
        let Some(booster) = &self.booster else {
            return vec![self.share; table.rows];
        };
        let matrix = Matrix::new(&table.values, table.rows, table.columns);
        let log_odds = booster.predict(&matrix, false);
        log_odds.into_iter().map(logistic).collect()
    }
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tiles of 1 to 64 by 1 to 64; a buffer holds 256.
    fn tiles() -> (FeatureTable, Vec<bool>) {
        let pairs: Vec<(f64, f64)> = (0..49)
            .map(|i| (f64::from(i % 7), f64::from(i / 7)))
            .collect();
        let table = FeatureTable {
            rows: 49,
            columns: 2,
            values: pairs
                .iter()
                .map(|p| p.0)
                .chain(pairs.iter().map(|p| p.1))
                .collect(),
        };
        let valid = pairs.iter().map(|(h, w)| h + w <= 8.0).collect();
        (table, valid)
    }

    fn rows(table: &FeatureTable, keep: impl Fn(usize) -> bool) -> FeatureTable {
        let kept: Vec<usize> = (0..table.rows).filter(|&row| keep(row)).collect();
        let column = |c| kept.iter().map(move |&row| (c, row));
        FeatureTable {
            rows: kept.len(),
            columns: table.columns,
            values: (0..table.columns)
                .flat_map(column)
                .map(|(c, row)| table.values[c * table.rows + row])
                .collect(),
        }
    }

    #[test]
    fn a_limit_on_a_product_is_learnt_from_half_of_the_tiles() {
        let (table, valid) = tiles();
        let seen: Vec<bool> = valid.iter().copied().step_by(2).collect();
        let mut model = ValidityModel::new(ValidityConstants::default());
        model.fit(&rows(&table, |row| row % 2 == 0), &seen).unwrap();
        let unseen = model.probability(&rows(&table, |row| row % 2 == 1));
        let right = valid
            .iter()
            .skip(1)
            .step_by(2)
            .zip(&unseen)
            .filter(|&(&valid, &probability)| valid == (probability > 0.5));
        assert!(right.count() >= 21, "of 24: {unseen:?}");
    }

    #[test]
    fn before_both_kinds_were_seen_the_probability_is_their_share() {
        let (table, _) = tiles();
        let mut model = ValidityModel::new(ValidityConstants::default());
        assert_eq!(model.probability(&table), [0.5; 49]);
        let ten = rows(&table, |row| row < 10);
        model.fit(&ten, &[false; 10]).unwrap();
        assert_eq!(model.probability(&table), [1.0 / 12.0; 49]);
        model.fit(&ten, &[true; 10]).unwrap();
        assert_eq!(model.probability(&table), [11.0 / 12.0; 49]);
    }
}
