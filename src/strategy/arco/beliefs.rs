//! What `arco` believes of configurations, by a Gaussian process: how fast they are, and that next to failures nothing is fast.
//! An ablation has boosted trees say what fails.

use std::collections::HashMap;
use std::sync::Arc;

use crate::agents::{Landscape, Standing};
use crate::surrogate::{GaussianProcess, KnobFeatures, ValidityModel};
use crate::task::{ConfigIndex, ConfigSpace, Digits};

use super::constants::{ArcoConstants, Failures};
use super::suggestion::Suggestion;

/// The surrogates with what they said since the last fit.
pub(super) struct Beliefs {
    space: Arc<ConfigSpace>,
    features: KnobFeatures,
    cost: GaussianProcess,
    failures: Failures,
    /// The score of a failure, where it has one.
    failure: f64,
    validity: ValidityModel,
    /// Whether failures were seen, and trees predict them.
    fallible: bool,
    said: HashMap<ConfigIndex, Standing>,
    suggestion: Option<Suggestion>,
    /// The Gaussian process learns what is left of the score when the suggestion is taken off, in units of this.
    unit: f64,
}

impl Beliefs {
    pub fn new(space: Arc<ConfigSpace>, failures: Failures, constants: &ArcoConstants) -> Self {
        let features = KnobFeatures::new(&space);
        Self {
            cost: GaussianProcess::new(constants.cost, &features.ranges()),
            features,
            space,
            failures,
            failure: constants.failure,
            validity: ValidityModel::new(constants.validity),
            fallible: false,
            said: HashMap::new(),
            suggestion: None,
            unit: 1.0,
        }
    }

    /// Learns from measurements: the cost of each, `None` for a failure. Those `pending` have been asked for, and
    /// nothing was told of them yet.
    pub fn fit(
        &mut self,
        measured: &[(Digits, Option<f64>)],
        pending: &[Digits],
    ) -> Result<(), String> {
        self.said.clear();
        let costs: Vec<f64> = measured.iter().filter_map(|(_, cost)| *cost).collect();
        let scale = Scale::of(&costs);
        let failure = (self.failures == Failures::Slow).then_some(self.failure);
        let (digits, mut targets): (Vec<&Digits>, Vec<f64>) = measured
            .iter()
            .filter_map(|(digits, cost)| {
                let score = cost.map(|cost| scale.score(cost)).or(failure)?;
                Some((digits, score))
            })
            .unzip();
        self.unit = match &mut self.suggestion {
            Some(suggestion) => suggestion.take_off(&digits, &mut targets),
            None => 1.0,
        };
        let digits: Vec<&Digits> = digits.into_iter().chain(pending).collect();
        self.cost.fit(&self.features.table(&digits), &targets)?;
        self.fallible = self.failures == Failures::Trees && costs.len() < measured.len();
        if self.fallible {
            let digits: Vec<&Digits> = measured.iter().map(|(digits, _)| digits).collect();
            let valid: Vec<bool> = measured.iter().map(|(_, cost)| cost.is_some()).collect();
            self.validity.fit(&self.features.table(&digits), &valid)?;
        }
        Ok(())
    }

    /// Positions of up to `n` of these to measure at once, so that no two would tell the same; `extra` is what is
    /// expected of each besides the score.
    pub fn spread(&self, configs: &[Digits], extra: &[f64], n: usize, optimism: f64) -> Vec<usize> {
        let table = self.features.table(configs);
        let suggested = self.suggested(configs);
        let offsets: Vec<f64> = extra
            .iter()
            .zip(suggested)
            .map(|(extra, suggested)| (extra + suggested) / self.unit)
            .collect();
        self.cost.batch(&table, &offsets, n, optimism)
    }

    /// Heeds what other tasks suggest from the next fit on.
    pub fn heed(&mut self, suggestion: Option<Suggestion>) {
        self.suggestion = suggestion;
    }

    /// Whether other tasks suggest something.
    pub const fn is_suggested(&self) -> bool {
        self.suggestion.is_some()
    }

    /// What other tasks suggest of configurations, in no unit; 0 where they suggest nothing.
    pub fn hearsay(&self, configs: &[Digits]) -> Vec<f64> {
        match &self.suggestion {
            Some(suggestion) => suggestion.hearsay(configs),
            None => vec![0.0; configs.len()],
        }
    }

    /// The part of the score that is other tasks' suggestion.
    fn suggested<D: AsRef<[u32]>>(&self, configs: &[D]) -> Vec<f64> {
        match &self.suggestion {
            Some(suggestion) => suggestion.score(configs),
            None => vec![0.0; configs.len()],
        }
    }

    /// The standing of configurations that are looked at once.
    pub fn survey<D: AsRef<[u32]>>(&self, configs: &[D]) -> candle_core::Result<Vec<Standing>> {
        let table = &self.features.table(configs);
        let suggested = self.suggested(configs);
        let validity = if self.fallible {
            self.validity.probability(table)
        } else {
            vec![1.0; table.rows]
        };
        let beliefs = self.cost.predict(table)?.into_iter();
        Ok(beliefs
            .zip(suggested)
            .zip(validity)
            .map(|((belief, suggested), validity)| Standing {
                score: suggested + self.unit * belief.mean,
                uncertainty: self.unit * belief.deviation,
                validity,
            })
            .collect())
    }
}

impl Landscape for Beliefs {
    fn look(&mut self, configs: &[Digits]) -> candle_core::Result<Vec<Standing>> {
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
            let standings = self.survey(&digits)?;
            let new = new.into_iter().map(|(index, _)| index);
            self.said.extend(new.zip(standings));
        }
        Ok(indices.iter().map(|index| self.said[index]).collect())
    }
}

/// A cost that is hundreds of times the best would be all that squared errors care about.
const LOWEST: f64 = -3.0;

/// Costs as scores: log throughput, shifted and scaled to mean 0 and variance 1.
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    fn of(costs: &[f64]) -> Self {
        let n = costs.len().max(1) as f64;
        let mean = costs.iter().map(|cost| -cost.ln()).sum::<f64>() / n;
        let squares = costs.iter().map(|cost| (-cost.ln() - mean).powi(2));
        Self {
            mean,
            deviation: (squares.sum::<f64>() / n).sqrt().max(1e-9),
        }
    }

    fn score(&self, cost: f64) -> f64 {
        ((-cost.ln() - self.mean) / self.deviation).max(LOWEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Entity, Knob, KnobKind};

    /// Fitted to one tile of 1 to 512, of which 1 to 16 work and all that work are about as fast.
    fn fitted(failures: Failures) -> Vec<Standing> {
        let sizes = (0..10).map(|log| Entity::Split(vec![-1, 1 << log]));
        let knob = Knob::new("tile_x", KnobKind::Split, sizes.collect()).unwrap();
        let space = Arc::new(ConfigSpace::new(vec![knob]).unwrap());
        let mut beliefs = Beliefs::new(space, failures, &ArcoConstants::default());
        let cost = |log: u32| (log < 5).then_some(1e-3 + 1e-6 * f64::from(log));
        let measured: Vec<(Digits, Option<f64>)> = [0, 1, 3, 4, 5, 6, 8, 9]
            .map(|log| (vec![log], cost(log)))
            .to_vec();
        beliefs.fit(&measured, &[]).unwrap();
        beliefs.survey(&[[2], [7]]).unwrap()
    }

    #[test]
    fn between_failures_little_is_expected_and_nothing_is_called_improbable() {
        let standings = fitted(Failures::Slow);
        assert!(
            standings[1].score < standings[0].score - 1.0,
            "{standings:?}"
        );
        assert_eq!([standings[0].validity, standings[1].validity], [1.0; 2]);
    }

    #[test]
    fn trees_call_it_improbable() {
        let standings = fitted(Failures::Trees);
        assert!(standings[0].validity > 0.5, "{standings:?}");
        assert!(standings[1].validity < 0.5, "{standings:?}");
    }

    #[test]
    fn ignored_failures_leave_what_is_between_them_to_be_explored() {
        let standings = fitted(Failures::Ignored);
        assert_eq!(standings[1].validity, 1.0);
        let slow = fitted(Failures::Slow);
        assert!(
            standings[1].uncertainty > slow[1].uncertainty,
            "{standings:?} {slow:?}"
        );
    }
}
