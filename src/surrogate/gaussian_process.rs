//! A Gaussian process: smooth where trees are steps, and certain of what it does not know.

use super::{Belief, FeatureTable};

/// Constants of a [`GaussianProcess`].
#[derive(Clone, Copy, Debug)]
pub struct GaussianProcessConstants {
    /// Rows that length scales are chosen on, at most: the newest.
    pub tuning_rows: usize,
    /// Passes over all length scales in a fit.
    pub passes: usize,
}

impl Default for GaussianProcessConstants {
    fn default() -> Self {
        Self {
            tuning_rows: 96,
            passes: 1,
        }
    }
}

/// Gaussian process regression (Rasmussen and Williams 2006, algorithm 2.1) with a Matern 5/2 kernel, one length scale
/// for each feature, chosen by the marginal likelihood. Targets have mean 0 and variance 1.
pub struct GaussianProcess {
    constants: GaussianProcessConstants,
    /// Shift and scale of each feature.
    range: Vec<(f64, f64)>,
    /// Logarithm of each inverse length scale, of features scaled to [0, 1].
    log_inverse: Vec<f64>,
    /// Logarithm of the noise variance.
    log_noise: f64,
    rows: Vec<Vec<f64>>,
    factor: Vec<f64>,
    weights: Vec<f64>,
}

/// Factors by which a length scale may change in a pass.
const STEP: f64 = 0.7;

impl GaussianProcess {
    /// A process that has learnt nothing yet.
    pub const fn new(constants: GaussianProcessConstants) -> Self {
        Self {
            constants,
            range: Vec::new(),
            log_inverse: Vec::new(),
            log_noise: -4.0,
            rows: Vec::new(),
            factor: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// Learns that the rows have these targets. Length scales start from those of the last fit.
    ///
    /// # Errors
    /// When the covariance cannot be factorised.
    pub fn fit(&mut self, table: &FeatureTable, targets: &[f64]) -> Result<(), String> {
        if self.log_inverse.len() != table.columns {
            self.log_inverse = vec![0.0; table.columns];
        }
        self.range = (0..table.columns)
            .map(|c| {
                let column = &table.values[c * table.rows..(c + 1) * table.rows];
                let low = column.iter().copied().fold(f64::INFINITY, f64::min);
                let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                (low, if high > low { 1.0 / (high - low) } else { 0.0 })
            })
            .collect();
        self.rows = self.scaled(table);
        self.choose_scales(targets);
        let covariance = self.covariance(&self.rows, &self.log_inverse, self.log_noise);
        self.factor =
            cholesky(covariance, table.rows).ok_or("the covariance is not positive definite")?;
        self.weights = solve(&self.factor, targets);
        Ok(())
    }

    /// What is believed of each row.
    pub fn predict(&self, table: &FeatureTable) -> Vec<Belief> {
        let n = self.rows.len();
        let scales: Vec<f64> = self.log_inverse.iter().map(|l| l.exp()).collect();
        self.scaled(table)
            .iter()
            .map(|row| {
                let near: Vec<f64> = self
                    .rows
                    .iter()
                    .map(|known| kernel(row, known, &scales))
                    .collect();
                let mean = near.iter().zip(&self.weights).map(|(k, w)| k * w).sum();
                let half = forward(&self.factor, &near, n);
                let variance = 1.0 - half.iter().map(|x| x * x).sum::<f64>();
                Belief {
                    mean,
                    deviation: variance.max(0.0).sqrt(),
                }
            })
            .collect()
    }

    fn scaled(&self, table: &FeatureTable) -> Vec<Vec<f64>> {
        (0..table.rows)
            .map(|r| {
                let columns = self.range.iter().enumerate();
                columns
                    .map(|(c, (low, scale))| (table.values[c * table.rows + r] - low) * scale)
                    .collect()
            })
            .collect()
    }

    /// Coordinate descent on the marginal likelihood of the newest rows.
    fn choose_scales(&mut self, targets: &[f64]) {
        let from = self.rows.len().saturating_sub(self.constants.tuning_rows);
        let (rows, targets) = (&self.rows[from..], &targets[from..]);
        let mut scales = self.log_inverse.clone();
        let mut noise = self.log_noise;
        let mut best = self.likelihood(rows, targets, &scales, noise);
        for _ in 0..self.constants.passes {
            for c in 0..=scales.len() {
                for step in [-STEP, STEP] {
                    let mut tried = scales.clone();
                    let mut tried_noise = noise;
                    if c < scales.len() {
                        tried[c] = (tried[c] + step).clamp(-3.0, 3.0);
                    } else {
                        tried_noise = (noise + 1.5 * step).clamp(-8.0, 0.0);
                    }
                    let likelihood = self.likelihood(rows, targets, &tried, tried_noise);
                    if likelihood > best {
                        (best, scales, noise) = (likelihood, tried, tried_noise);
                        break;
                    }
                }
            }
        }
        self.log_inverse = scales;
        self.log_noise = noise;
    }

    /// Log marginal likelihood (equation 2.30) without its constant, with a prior that keeps scales near 1.
    fn likelihood(&self, rows: &[Vec<f64>], targets: &[f64], scales: &[f64], noise: f64) -> f64 {
        let n = rows.len();
        let Some(factor) = cholesky(self.covariance(rows, scales, noise), n) else {
            return f64::NEG_INFINITY;
        };
        let half = forward(&factor, targets, n);
        let fit: f64 = half.iter().map(|x| x * x).sum();
        let volume: f64 = (0..n).map(|i| factor[i * n + i].ln()).sum();
        let prior: f64 = scales.iter().map(|s| s * s / 4.0).sum::<f64>();
        -0.5 * fit - volume - 0.5 * prior
    }

    fn covariance(&self, rows: &[Vec<f64>], log_inverse: &[f64], log_noise: f64) -> Vec<f64> {
        let n = rows.len();
        let scales: Vec<f64> = log_inverse.iter().map(|l| l.exp()).collect();
        let mut covariance = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                covariance[i * n + j] = kernel(&rows[i], &rows[j], &scales);
            }
            covariance[i * n + i] += log_noise.exp() + 1e-6;
        }
        covariance
    }
}

/// Matern 5/2 (equation 4.17).
fn kernel(a: &[f64], b: &[f64], scales: &[f64]) -> f64 {
    let squared: f64 = a
        .iter()
        .zip(b)
        .zip(scales)
        .map(|((x, y), s)| {
            let d = (x - y) * s;
            d * d
        })
        .sum();
    let r = (5.0 * squared).sqrt();
    (1.0 + r + r * r / 3.0) * (-r).exp()
}

/// The lower factor of a symmetric matrix given by its lower half, row by row.
fn cholesky(mut a: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    for i in 0..n {
        for j in 0..=i {
            let (head, tail) = a.split_at(i * n);
            let (row_j, row_i) = if i == j {
                (&tail[..j], &tail[..j])
            } else {
                (&head[j * n..j * n + j], &tail[..j])
            };
            let dot: f64 = row_i.iter().zip(row_j).map(|(x, y)| x * y).sum();
            let value = a[i * n + j] - dot;
            if i == j {
                if value <= 0.0 {
                    return None;
                }
                a[i * n + i] = value.sqrt();
            } else {
                a[i * n + j] = value / a[j * n + j];
            }
        }
    }
    Some(a)
}

/// Solves L x = b.
fn forward(factor: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let mut x = vec![0.0; n];
    for i in 0..n {
        let row = &factor[i * n..i * n + i];
        let dot: f64 = row.iter().zip(&x).map(|(l, x)| l * x).sum();
        x[i] = (b[i] - dot) / factor[i * n + i];
    }
    x
}

/// Solves L Lt x = b.
fn solve(factor: &[f64], b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut x = forward(factor, b, n);
    for i in (0..n).rev() {
        x[i] /= factor[i * n + i];
        let value = x[i];
        for (j, entry) in x[..i].iter_mut().enumerate() {
            *entry -= factor[i * n + j] * value;
        }
    }
    x
}
