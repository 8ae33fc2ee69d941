//! Confidence sampling after ARCO: critic values to probabilities, a draw, a dynamic threshold, replacements.

use std::collections::HashSet;

use rand::{Rng, RngExt};

use crate::task::{ConfigIndex, ConfigSpace, Digits, SpaceError};

use super::synthesis::Frequencies;

/// A configuration that may be measured.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Which.
    pub index: ConfigIndex,
    /// Its digits.
    pub digits: Digits,
    /// How much is expected of it: larger is better, and only differences count.
    pub confidence: f64,
}

/// Where a chosen configuration comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was drawn from the candidates.
    Drawn,
    /// It was put together from values of those that were drawn and kept.
    Synthesised,
}

/// A configuration to measure, and where it comes from.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The configuration.
    pub candidate: Candidate,
    /// Where it comes from.
    pub origin: Origin,
}

/// Constants of the draw. ARCO names the steps and no numbers: these are ours.
#[derive(Clone, Copy, Debug)]
pub struct ConfidenceConstants {
    /// Temperature of the softmax, in standard deviations of the confidence.
    pub temperature: f64,
    /// Candidates drawn for each place of the batch.
    pub oversampling: usize,
    /// Synthesised configurations that are tried for each place of the batch.
    pub attempts: usize,
}

impl Default for ConfidenceConstants {
    fn default() -> Self {
        Self {
            temperature: 0.1,
            oversampling: 16,
            attempts: 4,
        }
    }
}

/// A pool that a batch of `n` can be chosen from, best first.
///
/// Candidates are drawn with probabilities that grow with confidence, [`ConfidenceConstants::oversampling`] for each
/// place of the batch. Those below the median of the draw give way to configurations that are put together knob by
/// knob from those above it, where `rate` expects more of these. All are distinct, none is in `known`, all satisfy the
/// template's condition.
///
/// `rate` returns confidences in the same scale, `None` for what is probably invalid.
///
/// # Errors
/// When the template's condition cannot be asked, and what `rate` fails with.
pub fn confident_pool<E: From<SpaceError>>(
    candidates: &[Candidate],
    n: usize,
    space: &ConfigSpace,
    known: &HashSet<ConfigIndex>,
    mut rate: impl FnMut(&[Digits]) -> Result<Vec<Option<f64>>, E>,
    constants: &ConfidenceConstants,
    rng: &mut impl Rng,
) -> Result<Vec<Chosen>, E> {
    let size = n * constants.oversampling;
    let drawn = draw(candidates, size, constants.temperature, rng);
    let threshold = median(drawn.iter().map(|c| c.confidence).collect());
    let kept: Vec<&Candidate> = drawn
        .iter()
        .copied()
        .filter(|c| c.confidence >= threshold)
        .collect();
    let mut taken: HashSet<ConfigIndex> = drawn.iter().map(|c| c.index).collect();
    let mut pool: Vec<Chosen> = drawn
        .iter()
        .map(|&candidate| Chosen {
            candidate: candidate.clone(),
            origin: Origin::Drawn,
        })
        .collect();
    if let Some(frequencies) = Frequencies::of(kept.iter().map(|c| &c.digits)) {
        let fresh: Vec<(ConfigIndex, Digits)> = (0..n * constants.attempts)
            .map(|_| frequencies.synthesise(rng))
            .map(|digits| (space.index(&digits), digits))
            .filter(|(index, _)| !known.contains(index) && taken.insert(*index))
            .collect();
        let indices: Vec<ConfigIndex> = fresh.iter().map(|(index, _)| *index).collect();
        let allowed = space.valid(&indices)?;
        let fresh: Vec<(ConfigIndex, Digits)> = fresh
            .into_iter()
            .zip(allowed)
            .filter_map(|(config, allowed)| allowed.then_some(config))
            .collect();
        let (indices, digits): (Vec<_>, Vec<_>) = fresh.into_iter().unzip();
        let rated = rate(&digits)?;
        for ((index, digits), confidence) in indices.into_iter().zip(digits).zip(rated) {
            // A replacement must be worth more than what it replaces.
            if let Some(confidence) = confidence.filter(|&c| c >= threshold) {
                pool.push(Chosen {
                    candidate: Candidate {
                        index,
                        digits,
                        confidence,
                    },
                    origin: Origin::Synthesised,
                });
            }
        }
    }
    sort(&mut pool);
    pool.truncate(size);
    Ok(pool)
}

/// The `n` candidates of highest confidence: what confidence sampling is compared with.
pub fn top_batch(candidates: &[Candidate], n: usize) -> Vec<Chosen> {
    let mut pool: Vec<Chosen> = candidates
        .iter()
        .map(|candidate| Chosen {
            candidate: candidate.clone(),
            origin: Origin::Drawn,
        })
        .collect();
    sort(&mut pool);
    pool.truncate(n);
    pool
}

/// Best first; ties go to the lower index, so that no order of arrival shows.
fn sort(pool: &mut [Chosen]) {
    pool.sort_by(|a, b| {
        let (a, b) = (&a.candidate, &b.candidate);
        b.confidence
            .total_cmp(&a.confidence)
            .then(a.index.cmp(&b.index))
    });
}

/// `n` candidates without repetition, with probabilities softmax(confidence / temperature).
///
/// By the Gumbel trick (Kool et al. 2019, arXiv 1903.06059): the `n` largest of log probability plus Gumbel noise are
/// such a draw.
pub fn draw<'a>(
    candidates: &'a [Candidate],
    n: usize,
    temperature: f64,
    rng: &mut impl Rng,
) -> Vec<&'a Candidate> {
    let confidences: Vec<f64> = candidates.iter().map(|c| c.confidence).collect();
    let count = confidences.len().max(1) as f64;
    let mean = confidences.iter().sum::<f64>() / count;
    let deviation = (confidences.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / count).sqrt();
    let scale = 1.0 / (temperature * deviation).max(1e-12);
    let mut noisy: Vec<(f64, &Candidate)> = candidates
        .iter()
        .map(|candidate| {
            let uniform: f64 = rng.random::<f64>().max(f64::MIN_POSITIVE);
            let gumbel = -(-uniform.ln()).max(f64::MIN_POSITIVE).ln();
            ((candidate.confidence - mean) * scale + gumbel, candidate)
        })
        .collect();
    noisy.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.index.cmp(&b.1.index)));
    noisy
        .into_iter()
        .take(n)
        .map(|(_, candidate)| candidate)
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return f64::NEG_INFINITY;
    }
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
