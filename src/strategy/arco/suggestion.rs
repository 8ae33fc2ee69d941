//! What other tasks suggest of a configuration, fitted to what was measured of this one.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::task::Digits;
use crate::transfer::{DescribedSpace, Prior};

/// A prior of other tasks with a line from its scale to the scores of this one.
pub(super) struct Suggestion {
    prior: Prior,
    space: DescribedSpace,
    shift: f64,
    slope: f64,
    /// What the prior has said: the same configurations are asked about at every fit.
    heard: RefCell<HashMap<Digits, f64>>,
}

/// Scores that other tasks explain this well leave the Gaussian process nothing but noise.
const LEAST_UNIT: f64 = 0.1;

impl Suggestion {
    pub fn new(prior: Prior, space: DescribedSpace) -> Self {
        Self {
            prior,
            space,
            shift: 0.0,
            slope: 0.0,
            heard: RefCell::default(),
        }
    }

    /// What the prior says, on its own scale.
    pub fn hearsay<D: AsRef<[u32]>>(&self, configs: &[D]) -> Vec<f64> {
        let mut heard = self.heard.borrow_mut();
        let mut new: Vec<&[u32]> = configs.iter().map(AsRef::as_ref).collect();
        new.retain(|digits| !heard.contains_key(*digits));
        if !new.is_empty() {
            let numbers: Vec<Vec<f64>> = new.iter().map(|d| self.space.numbers(d)).collect();
            let said = self.prior.expect(&numbers);
            heard.extend(new.into_iter().map(<[u32]>::to_vec).zip(said));
        }
        configs.iter().map(|d| heard[d.as_ref()]).collect()
    }

    /// The score that it suggests of each.
    pub fn score<D: AsRef<[u32]>>(&self, configs: &[D]) -> Vec<f64> {
        let hearsay = self.hearsay(configs).into_iter();
        hearsay.map(|h| self.shift + self.slope * h).collect()
    }

    /// Fits the line to scores by least squares, takes off what it explains, and scales what is left to variance 1.
    /// Returns the scale. What contradicts the scores explains nothing.
    pub fn take_off<D: AsRef<[u32]>>(&mut self, configs: &[D], scores: &mut [f64]) -> f64 {
        let hearsay = self.hearsay(configs);
        let n = scores.len().max(1) as f64;
        let (x, y) = (
            hearsay.iter().sum::<f64>() / n,
            scores.iter().sum::<f64>() / n,
        );
        let variance: f64 = hearsay.iter().map(|h| (h - x).powi(2)).sum();
        let pairs = hearsay.iter().zip(scores.iter());
        let covariance: f64 = pairs.map(|(h, s)| (h - x) * (s - y)).sum();
        self.slope = (covariance / variance.max(1e-9)).max(0.0);
        self.shift = y - self.slope * x;
        for (score, h) in scores.iter_mut().zip(&hearsay) {
            *score -= self.shift + self.slope * h;
        }
        let left = scores.iter().map(|s| s * s).sum::<f64>() / n;
        let unit = left.sqrt().max(LEAST_UNIT);
        scores.iter_mut().for_each(|score| *score /= unit);
        unit
    }
}
