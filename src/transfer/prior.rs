//! What to expect of a task before anything of it was measured.

use crate::surrogate::{BoostedTrees, BoostedTreesConstants, CostModel, FeatureTable};

/// Boosted trees over knobs and shape, taught by other tasks of the template.
///
/// It predicts the logarithm of a configuration's share of its task's best throughput: 0 for the best, less for others,
/// [`Prior::WORST`] for a failure.
pub struct Prior {
    model: BoostedTrees,
    /// Of the task that it is for.
    shape: Vec<f64>,
}

/// A configuration of another task, and what came of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Example<'a> {
    pub numbers: &'a [f64],
    pub shape: &'a [f64],
    pub share: f64,
}

impl Prior {
    /// What a failure counts, and anything that is slower than this.
    pub const WORST: f64 = -3.0;

    /// Learns from examples what to expect of a task of this shape.
    ///
    /// # Errors
    /// When the learner refuses them; the text says why.
    pub(super) fn learn(examples: &[Example<'_>], shape: &[f64]) -> Result<Self, String> {
        let rows: Vec<Vec<f64>> = examples
            .iter()
            .map(|example| [example.numbers, example.shape].concat())
            .collect();
        let targets: Vec<f64> = examples.iter().map(|example| example.share).collect();
        let mut model = BoostedTrees::new(BoostedTreesConstants::default());
        model.fit(&table(&rows), &targets)?;
        Ok(Self {
            model,
            shape: shape.to_vec(),
        })
    }

    /// What is expected of configurations, given by their numbers.
    pub fn expect(&self, configs: &[Vec<f64>]) -> Vec<f64> {
        let rows: Vec<Vec<f64>> = configs
            .iter()
            .map(|numbers| [numbers.as_slice(), &self.shape].concat())
            .collect();
        self.model.predict(&table(&rows))
    }
}

fn table(rows: &[Vec<f64>]) -> FeatureTable {
    let columns = rows.first().map_or(0, Vec::len);
    FeatureTable {
        rows: rows.len(),
        columns,
        values: (0..columns)
            .flat_map(|c| rows.iter().map(move |row| row[c]))
            .collect(),
    }
}
