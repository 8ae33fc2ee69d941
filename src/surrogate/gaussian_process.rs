//! A Gaussian process: smooth where trees are steps, and certain of what it does not know.

use candle_core::{Device, Tensor};

use super::FeatureTable;

/// A prediction with its uncertainty.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Belief {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

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
    unit: Vec<(f64, f64)>,
    /// Logarithm of each inverse length scale, of features scaled to [0, 1].
    log_inverse: Vec<f64>,
    /// Logarithm of the noise variance.
    log_noise: f64,
    rows: Vec<Vec<f64>>,
    factor: Vec<f64>,
    /// The factor's inverse, for predictions.
    inverse: Vec<f32>,
    weights: Vec<f64>,
}

/// Added to the noise, so that equal rows do not make the covariance singular.
const JITTER: f64 = 1e-6;
/// Factors by which a length scale may change in a pass.
const STEP: f64 = 0.7;

impl GaussianProcess {
    /// A process that has learnt nothing yet, of features with this lowest and highest value each.
    ///
    /// `ranges` are the whole space's: by those of the rows a distance would mean something else whenever a row is new.
    pub fn new(constants: GaussianProcessConstants, ranges: &[(f64, f64)]) -> Self {
        let unit = |&(low, high): &(f64, f64)| {
            let scale = if high > low { 1.0 / (high - low) } else { 0.0 };
            (low, scale)
        };
        Self {
            constants,
            unit: ranges.iter().map(unit).collect(),
            log_inverse: vec![0.0; ranges.len()],
            log_noise: -4.0,
            rows: Vec::new(),
            factor: Vec::new(),
            inverse: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// Learns that the rows have these targets. Length scales start from those of the last fit.
    ///
    /// Rows beyond the targets are being measured: they change no mean, and there is less to be learnt near them
    /// (GP-BUCB's hallucinated observations, Desautels et al. 2014).
    ///
    /// # Errors
    /// When the covariance cannot be factorised.
    ///
    /// # Panics
    /// When there are more targets than rows, or a table's columns are not the features.
    pub fn fit(&mut self, table: &FeatureTable, targets: &[f64]) -> Result<(), String> {
        self.rows = self.scaled(table);
        self.choose_scales(targets);
        let covariance = self.covariance(&self.rows, &self.log_inverse, self.log_noise);
        self.factor =
            cholesky(covariance, table.rows).ok_or("the covariance is not positive definite")?;
        self.inverse = single(&inverse(&self.factor, table.rows));
        // The factor of the first rows is the head of the factor of all.
        self.weights = solve(&self.factor, table.rows, targets);
        self.weights.resize(table.rows, 0.0);
        Ok(())
    }

    /// What is believed of each row.
    ///
    /// In single precision, for this is where a search spends its time; errors are far below the noise.
    ///
    /// # Errors
    /// When the matrices cannot be computed.
    pub fn predict(&self, table: &FeatureTable) -> candle_core::Result<Vec<Belief>> {
        let known = self.rows.len();
        let inverse = Tensor::from_slice(&self.inverse, (known, known), &Device::Cpu)?;
        let weights = Tensor::from_vec(single(&self.weights), (1, known), &Device::Cpu)?;
        let scales = self.scales();
        let known_rows = stretched(&self.rows, &scales);
        let mut beliefs = Vec::with_capacity(table.rows);
        for rows in self.scaled(table).chunks(BLOCK) {
            let near = covariances(&known_rows, &stretched(rows, &scales));
            let near = Tensor::from_vec(near, (known, rows.len()), &Device::Cpu)?;
            let means: Vec<f32> = weights.matmul(&near)?.flatten_all()?.to_vec1()?;
            let halves: Vec<f32> = inverse.matmul(&near)?.flatten_all()?.to_vec1()?;
            let mut explained = vec![0.0; rows.len()];
            for half in halves.chunks_exact(rows.len()) {
                explained
                    .iter_mut()
                    .zip(half)
                    .for_each(|(sum, h)| *sum += h * h);
            }
            beliefs.extend(
                means
                    .iter()
                    .zip(&explained)
                    .map(|(&mean, &explained)| Belief {
                        mean: mean.into(),
                        deviation: f64::from(1.0 - explained).max(0.0).sqrt(),
                    }),
            );
        }
        Ok(beliefs)
    }

    /// Positions of up to `n` rows to measure at once, best first: each has the highest `offset + mean + optimism *
    /// deviation`, where the deviation is what is left of it once those before are measured (GP-BUCB, Desautels et al.
    /// 2014). So no two that would tell the same are chosen.
    ///
    /// # Panics
    /// When there are not as many offsets as rows.
    pub fn batch(
        &self,
        table: &FeatureTable,
        offsets: &[f64],
        n: usize,
        optimism: f64,
    ) -> Vec<usize> {
        assert_eq!(offsets.len(), table.rows, "an offset for each row");
        let scales = self.scales();
        let noise = self.log_noise.exp() + JITTER;
        let rows = self.scaled(table);
        let mut halves = Vec::with_capacity(rows.len());
        let mut open: Vec<(usize, f64, f64)> = Vec::with_capacity(rows.len());
        for (i, row) in rows.iter().enumerate() {
            let (mean, half) = self.relate(row, &scales);
            open.push((i, offsets[i] + mean, 1.0 - dot(&half, &half)));
            halves.push(half);
        }
        let mut chosen = Vec::with_capacity(n);
        while chosen.len() < n && !open.is_empty() {
            let worth = |&(_, mean, variance): &(usize, f64, f64)| {
                mean + optimism * variance.max(0.0).sqrt()
            };
            let best = (0..open.len())
                .max_by(|&a, &b| worth(&open[a]).total_cmp(&worth(&open[b])).then(b.cmp(&a)))
                .unwrap_or(0);
            let (new, _, variance) = open.swap_remove(best);
            chosen.push(new);
            let length = (variance.max(0.0) + noise).sqrt();
            let half = std::mem::take(&mut halves[new]);
            for (i, _, variance) in &mut open {
                let shared =
                    (kernel(&rows[*i], &rows[new], &scales) - dot(&halves[*i], &half)) / length;
                halves[*i].push(shared);
                *variance -= shared * shared;
            }
        }
        chosen
    }

    fn scales(&self) -> Vec<f64> {
        self.log_inverse.iter().map(|l| l.exp()).collect()
    }

    /// A row's mean, and L\k: the covariance with what is known, half solved.
    fn relate(&self, row: &[f64], scales: &[f64]) -> (f64, Vec<f64>) {
        let near: Vec<f64> = self
            .rows
            .iter()
            .map(|known| kernel(row, known, scales))
            .collect();
        (
            dot(&near, &self.weights),
            forward(&self.factor, &near, near.len()),
        )
    }

    fn scaled(&self, table: &FeatureTable) -> Vec<Vec<f64>> {
        assert_eq!(table.columns, self.unit.len(), "a column for each feature");
        (0..table.rows)
            .map(|r| {
                let columns = self.unit.iter().enumerate();
                columns
                    .map(|(c, (low, scale))| (table.values[c * table.rows + r] - low) * scale)
                    .collect()
            })
            .collect()
    }

    /// Coordinate descent on the marginal likelihood of the newest rows.
    fn choose_scales(&mut self, targets: &[f64]) {
        let from = targets.len().saturating_sub(self.constants.tuning_rows);
        let (rows, targets) = (&self.rows[from..targets.len()], &targets[from..]);
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
            covariance[i * n + i] += log_noise.exp() + JITTER;
        }
        covariance
    }
}

/// Rows that are predicted at once: their covariances stay in the cache.
const BLOCK: usize = 512;

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// Each feature of each row by its inverse length scale.
fn stretched(rows: &[Vec<f64>], scales: &[f64]) -> Vec<Vec<f32>> {
    let stretch = |row: &Vec<f64>| {
        row.iter()
            .zip(scales)
            .map(|(x, s)| (x * s) as f32)
            .collect()
    };
    rows.iter().map(stretch).collect()
}

/// Matern 5/2 of each of `known` with each of `rows`, row by row.
fn covariances(known: &[Vec<f32>], rows: &[Vec<f32>]) -> Vec<f32> {
    let columns = known.first().map_or(0, Vec::len);
    // By feature, so that the innermost loop runs along rows.
    let features: Vec<Vec<f32>> = (0..columns)
        .map(|c| rows.iter().map(|row| row[c]).collect())
        .collect();
    let mut all = Vec::with_capacity(known.len() * rows.len());
    let mut squared = vec![0.0f32; rows.len()];
    for known in known {
        squared.fill(0.0);
        for (x, feature) in known.iter().zip(&features) {
            for (sum, y) in squared.iter_mut().zip(feature) {
                *sum += (x - y) * (x - y);
            }
        }
        all.extend(squared.iter().map(|squared| {
            let r = (5.0 * squared).sqrt();
            (1.0 + r + r * r / 3.0) * (-r).exp()
        }));
    }
    all
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
            let value = a[i * n + j] - dot(row_i, row_j);
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

/// Solves L x = b, where L is the head of a factor with `n` columns.
fn forward(factor: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let mut x = vec![0.0; b.len()];
    for i in 0..b.len() {
        let row = &factor[i * n..i * n + i];
        x[i] = (b[i] - dot(row, &x[..i])) / factor[i * n + i];
    }
    x
}

/// The inverse of L, row by row.
fn inverse(factor: &[f64], n: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; n * n];
    for i in 0..n {
        let (above, row) = inverse.split_at_mut(i * n);
        let row = &mut row[..=i];
        row[i] = 1.0;
        for (j, above) in above.chunks_exact(n).enumerate() {
            let share = factor[i * n + j];
            for (entry, above) in row[..=j].iter_mut().zip(above) {
                *entry -= share * above;
            }
        }
        row.iter_mut().for_each(|entry| *entry /= factor[i * n + i]);
    }
    inverse
}

/// Solves L Lt x = b, where L is the head of a factor with `n` columns.
fn solve(factor: &[f64], n: usize, b: &[f64]) -> Vec<f64> {
    let mut x = forward(factor, b, n);
    for i in (0..b.len()).rev() {
        x[i] /= factor[i * n + i];
        let value = x[i];
        for (j, entry) in x[..i].iter_mut().enumerate() {
            *entry -= factor[i * n + j] * value;
        }
    }
    x
}

/// The sum of products, in eight sums so that they can be computed side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_parts, b_parts) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_parts
        .remainder()
        .iter()
        .zip(b_parts.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (a, b) in a_parts.zip(b_parts) {
        for (sum, (x, y)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(points: &[(f64, f64)]) -> FeatureTable {
        FeatureTable {
            rows: points.len(),
            columns: 2,
            values: points
                .iter()
                .map(|p| p.0)
                .chain(points.iter().map(|p| p.1))
                .collect(),
        }
    }

    /// A grid of points, and a hill that only the first coordinate matters for.
    fn hill() -> (Vec<(f64, f64)>, Vec<f64>) {
        let points: Vec<(f64, f64)> = (0..36)
            .map(|i| (f64::from(i % 6) / 5.0, f64::from(i / 6) / 5.0))
            .collect();
        let heights = points.iter().map(|p| 1.0 - 8.0 * (p.0 - 0.6).powi(2));
        let heights = heights.collect();
        (points, heights)
    }

    fn of_two_features(constants: GaussianProcessConstants) -> GaussianProcess {
        GaussianProcess::new(constants, &[(0.0, 1.0); 2])
    }

    fn fitted() -> GaussianProcess {
        let (points, heights) = hill();
        let mut process = of_two_features(GaussianProcessConstants::default());
        for _ in 0..6 {
            process.fit(&table(&points), &heights).unwrap();
        }
        process
    }

    #[test]
    fn it_interpolates_and_is_unsure_far_from_what_it_knows() {
        let process = fitted();
        let beliefs = process
            .predict(&table(&[(0.7, 0.5), (0.6, 0.4), (9.0, 9.0)]))
            .unwrap();
        assert!((beliefs[0].mean - 0.92).abs() < 0.1, "{beliefs:?}");
        assert!(beliefs[1].deviation < 0.2, "{beliefs:?}");
        assert!(beliefs[2].deviation > 0.9, "{beliefs:?}");
    }

    #[test]
    fn distances_are_parts_of_the_features_range_and_not_of_that_of_the_rows() {
        let mut process = of_two_features(GaussianProcessConstants {
            passes: 0,
            ..GaussianProcessConstants::default()
        });
        let near = [(0.0, 0.0), (0.1, 0.0)];
        process.fit(&table(&near), &[-1.0, 1.0]).unwrap();
        let beliefs = process.predict(&table(&[(0.05, 0.0), (1.0, 0.0)])).unwrap();
        assert!(beliefs[0].deviation < 0.15, "{beliefs:?}");
        assert!(beliefs[1].deviation > 0.7, "{beliefs:?}");
    }

    #[test]
    fn a_batch_takes_the_best_first_and_nothing_twice_that_would_tell_the_same() {
        let process = fitted();
        // Two points far away and next to each other, and one far away elsewhere.
        let rows = table(&[(9.0, 9.0), (9.0, 9.01), (-9.0, 0.0), (0.0, 0.0)]);
        let chosen = process.batch(&rows, &[0.1, 0.05, 0.0, 0.0], 2, 3.0);
        assert_eq!(chosen, [0, 2]);
        // Without optimism only what is expected counts.
        let chosen = process.batch(&rows, &[0.1, 0.05, 0.0, 5.0], 1, 0.0);
        assert_eq!(chosen, [3]);
    }

    #[test]
    fn what_is_being_measured_changes_no_mean_and_leaves_less_to_learn_near_it() {
        let (mut points, heights) = hill();
        let asked = table(&[(4.0, 4.0), (4.1, 4.0), (0.7, 0.5)]);
        let mut process = of_two_features(GaussianProcessConstants {
            passes: 0,
            ..GaussianProcessConstants::default()
        });
        process.fit(&table(&points), &heights).unwrap();
        let before = process.predict(&asked).unwrap();
        points.push((4.0, 4.0));
        process.fit(&table(&points), &heights).unwrap();
        let after = process.predict(&asked).unwrap();
        for (before, after) in before.iter().zip(&after) {
            assert!(
                (before.mean - after.mean).abs() < 1e-3,
                "{before:?} {after:?}"
            );
        }
        // What one noisy measurement leaves of a variance.
        let (noise, variance) = (process.log_noise.exp(), before[0].deviation.powi(2));
        let left = (variance * noise / (variance + noise)).sqrt();
        assert!(
            (after[0].deviation - left).abs() < 1e-3,
            "{after:?}, {left}"
        );
        assert!(after[1].deviation < 0.5 * before[1].deviation, "{after:?}");
        assert!(after[2].deviation > 0.9 * before[2].deviation, "{after:?}");
    }

    #[test]
    fn rows_that_are_all_equal_are_no_trouble() {
        let mut process = of_two_features(GaussianProcessConstants::default());
        process.fit(&table(&[(1.0, 1.0); 5]), &[0.0; 5]).unwrap();
        assert!(
            process.predict(&table(&[(1.0, 1.0)])).unwrap()[0]
                .mean
                .abs()
                < 1e-9
        );
    }
}
