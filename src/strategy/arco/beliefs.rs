//! What `arco` believes of configurations: cost by an ensemble, validity by a classifier.

use std::collections::HashMap;
use std::sync::Arc;

use crate::agents::{Landscape, Standing};
use crate::surrogate::{
    BoostedTrees, BoostedTreesConstants, CostModel, Ensemble, EnsembleConstants, GaussianProcess,
    GaussianProcessConstants, KnobFeatures,
};
use crate::task::{ConfigIndex, ConfigSpace, Digits};

/// The surrogates with what they said since the last fit.
pub(super) struct Beliefs {
    space: Arc<ConfigSpace>,
    features: KnobFeatures,
    cost: Ensemble,
    smooth: GaussianProcess,
    smooth_weight: f64,
    validity: BoostedTrees,
    /// Whether failures were seen, and are to be predicted.
    fallible: bool,
    said: HashMap<ConfigIndex, Standing>,
}

impl Beliefs {
    pub fn new(space: Arc<ConfigSpace>, constants: EnsembleConstants, smooth_weight: f64) -> Self {
        Self {
            features: KnobFeatures::new(&space),
            space,
            cost: Ensemble::new(constants),
            smooth: GaussianProcess::new(GaussianProcessConstants::default()),
            smooth_weight,
            validity: BoostedTrees::new(BoostedTreesConstants::default()),
            fallible: false,
            said: HashMap::new(),
        }
    }

    /// Learns from measurements: the cost of each, `None` for a failure.
    pub fn fit(
        &mut self,
        measured: &[(Digits, Option<f64>)],
        validity_model: bool,
    ) -> Result<(), String> {
        self.said.clear();
        let costs: Vec<f64> = measured.iter().filter_map(|(_, cost)| *cost).collect();
        let scale = Scale::of(&costs);
        let worst = costs.iter().copied().fold(0.0, f64::max);
        let rows = measured
            .iter()
            .filter(|(_, cost)| cost.is_some() || !validity_model);
        let digits: Vec<&Digits> = rows.clone().map(|(digits, _)| digits).collect();
        let targets: Vec<f64> = rows
            .map(|(_, cost)| scale.score(cost.unwrap_or(worst)))
            .collect();
        let table = self.features.table(&digits);
        self.cost.fit(&table, &targets)?;
        if self.smooth_weight > 0.0 {
            self.smooth.fit(&table, &targets)?;
        }
        self.fallible = validity_model && costs.len() < measured.len();
        if self.fallible {
            let digits: Vec<&Digits> = measured.iter().map(|(digits, _)| digits).collect();
            let valid: Vec<f64> = measured
                .iter()
                .map(|(_, cost)| f64::from(u8::from(cost.is_some())))
                .collect();
            self.validity.fit(&self.features.table(&digits), &valid)?;
        }
        Ok(())
    }
}

impl Landscape for Beliefs {
    fn look(&mut self, configs: &[Digits]) -> Vec<Standing> {
        let indices: Vec<ConfigIndex> = configs
            .iter()
            .map(|digits| self.space.index(digits))
            .collect();
        let mut new: Vec<(ConfigIndex, &Digits)> = indices
            .iter()
            .copied()
            .zip(configs)
            .filter(|(index, _)| !self.said.contains_key(index))
            .collect();
        new.sort_unstable_by_key(|(index, _)| *index);
        new.dedup_by_key(|(index, _)| *index);
        if !new.is_empty() {
            let digits: Vec<&Digits> = new.iter().map(|(_, digits)| *digits).collect();
            let table = self.features.table(&digits);
            let mut beliefs = self.cost.predict(&table);
            if self.smooth_weight > 0.0 {
                let w = self.smooth_weight;
                for (belief, smooth) in beliefs.iter_mut().zip(self.smooth.predict(&table)) {
                    belief.mean = (1.0 - w) * belief.mean + w * smooth.mean;
                    belief.deviation = (1.0 - w) * belief.deviation + w * smooth.deviation;
                }
            }
            let validity = if self.fallible {
                self.validity.predict(&table)
            } else {
                vec![1.0; table.rows]
            };
            for (((index, _), belief), validity) in new.into_iter().zip(beliefs).zip(validity) {
                let standing = Standing {
                    score: belief.mean,
                    uncertainty: belief.deviation,
                    validity: validity.clamp(0.0, 1.0),
                };
                self.said.insert(index, standing);
            }
        }
        indices.iter().map(|index| self.said[index]).collect()
    }
}

/// Costs as scores: log throughput, shifted and scaled to mean 0 and variance 1.
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    fn of(costs: &[f64]) -> Self {
        let n = costs.len().max(1) as f64;
        let mean = costs.iter().map(|c| -c.ln()).sum::<f64>() / n;
        let variance = costs.iter().map(|c| (-c.ln() - mean).powi(2)).sum::<f64>() / n;
        Self {
            mean,
            deviation: variance.sqrt().max(1e-9),
        }
    }

    fn score(&self, cost: f64) -> f64 {
        // A cost that is hundreds of times the best would be all that squared errors care about.
        ((-cost.ln() - self.mean) / self.deviation).max(-3.0)
    }
}
