//! Adaptive sampling: a few configurations that stand for all that were visited.

use std::collections::{BTreeMap, HashSet};

use rand::{Rng, RngExt};

use crate::task::{ConfigIndex, ConfigSpace, Digits};

/// Constants of adaptive sampling; the defaults are CHAMELEON's, but for the last two, which it does not give.
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveConstants {
    /// Clusters at first, and how many more at each attempt.
    pub first: usize,
    /// Most clusters.
    pub most: usize,
    /// The knee: the number of clusters at which the loss does not fall any more by this factor.
    pub knee: f64,
    /// Most samples that are clustered: those with the highest scores.
    pub samples: usize,
    /// Rounds of k-means.
    pub rounds: usize,
}

impl Default for AdaptiveConstants {
    fn default() -> Self {
        Self {
            first: 8,
            most: 64,
            knee: 2.5,
            samples: 1024,
            rounds: 16,
        }
    }
}

type Point = [f64; 2];

/// Centres of clusters, and which centre each point belongs to.
struct Clusters {
    centres: Vec<Point>,
    members: Vec<usize>,
    /// Sum of squared distances.
    loss: f64,
}

/// One unknown configuration for each cluster of what was `visited` (with its score), best cluster first.
///
/// The centre of a cluster gives the two largest knobs, the best sample of the cluster the others; or all samples
/// together by their most frequent values, where that configuration is known already.
pub(super) fn representatives(
    space: &ConfigSpace,
    constants: AdaptiveConstants,
    visited: &BTreeMap<ConfigIndex, f64>,
    known: &HashSet<ConfigIndex>,
    rng: &mut impl Rng,
) -> Vec<ConfigIndex> {
    let mut samples: Vec<(f64, Digits)> = visited
        .iter()
        .filter_map(|(&index, &score)| Some((score, space.digits(index).ok()?)))
        .collect();
    // Stable, and the map is in the order of indices: ties go to the lower index.
    samples.sort_by(|a, b| b.0.total_cmp(&a.0));
    samples.truncate(constants.samples);
    let knobs = two_largest(space);
    let points: Vec<Point> = samples
        .iter()
        .map(|(_, digits)| knobs.map(|knob| f64::from(digits[knob])))
        .collect();
    if points.is_empty() {
        return Vec::new();
    }
    let clusters = knee(constants, &points, rng);
    let mode = mode(space, &samples);

    let mut seen = HashSet::new();
    let mut chosen = Vec::new();
    // In the order of the clusters' best samples.
    for (sample, &cluster) in clusters.members.iter().enumerate() {
        if !seen.insert(cluster) {
            continue;
        }
        let with_centre = |others: &Digits| {
            let mut digits = others.clone();
            for (knob, centre) in knobs.into_iter().zip(clusters.centres[cluster]) {
                digits[knob] = centre.round() as u32;
            }
            space.index(&digits)
        };
        let options = [with_centre(&samples[sample].1), with_centre(&mode)];
        let fresh = options
            .into_iter()
            .find(|index| !known.contains(index) && !chosen.contains(index));
        chosen.extend(fresh);
    }
    chosen
}

/// The two knobs with the most values (the same one twice where there is only one).
fn two_largest(space: &ConfigSpace) -> [usize; 2] {
    let mut knobs: Vec<usize> = (0..space.knobs().len()).collect();
    knobs.sort_by_key(|&knob| std::cmp::Reverse(space.knobs()[knob].len()));
    [knobs[0], knobs[1.min(knobs.len() - 1)]]
}

/// Each knob's most frequent value.
fn mode(space: &ConfigSpace, samples: &[(f64, Digits)]) -> Digits {
    (0..space.knobs().len())
        .map(|knob| {
            let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
            for (_, digits) in samples {
                *counts.entry(digits[knob]).or_default() += 1;
            }
            let most = counts
                .into_iter()
                .max_by_key(|&(digit, count)| (count, std::cmp::Reverse(digit)));
            most.map_or(0, |(digit, _)| digit)
        })
        .collect()
}

/// k-means for more and more clusters, up to the first number that brings little.
fn knee(constants: AdaptiveConstants, points: &[Point], rng: &mut impl Rng) -> Clusters {
    let mut clusters = k_means(points, constants.first, constants.rounds, rng);
    let mut k = constants.first;
    while k < constants.most && k < points.len() {
        k += constants.first;
        let more = k_means(points, k, constants.rounds, rng);
        let little = more.loss >= clusters.loss / constants.knee;
        clusters = more;
        if little {
            break;
        }
    }
    clusters
}

/// Lloyd's algorithm from `k` points drawn at random.
fn k_means(points: &[Point], k: usize, rounds: usize, rng: &mut impl Rng) -> Clusters {
    let mut order: Vec<usize> = (0..points.len()).collect();
    let k = k.min(order.len());
    for i in 0..k {
        let other = rng.random_range(i..order.len());
        order.swap(i, other);
    }
    let mut clusters = Clusters {
        centres: order[..k].iter().map(|&i| points[i]).collect(),
        members: Vec::new(),
        loss: f64::INFINITY,
    };
    for _ in 0..rounds {
        let before = clusters.loss;
        assign(&mut clusters, points);
        if clusters.loss >= before {
            break;
        }
        let mut sums = vec![([0.0, 0.0], 0.0); k];
        for (point, &member) in points.iter().zip(&clusters.members) {
            let (sum, count) = &mut sums[member];
            sum[0] += point[0];
            sum[1] += point[1];
            *count += 1.0;
        }
        for (centre, (sum, count)) in clusters.centres.iter_mut().zip(sums) {
            // A cluster without members stays where it is.
            if count > 0.0 {
                *centre = [sum[0] / count, sum[1] / count];
            }
        }
    }
    assign(&mut clusters, points);
    clusters
}

fn assign(clusters: &mut Clusters, points: &[Point]) {
    clusters.loss = 0.0;
    clusters.members.clear();
    for point in points {
        let (mut nearest, mut least) = (0, f64::INFINITY);
        for (c, centre) in clusters.centres.iter().enumerate() {
            let distance = (point[0] - centre[0]).powi(2) + (point[1] - centre[1]).powi(2);
            if distance < least {
                (nearest, least) = (c, distance);
            }
        }
        clusters.members.push(nearest);
        clusters.loss += least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn k_means_finds_clusters_that_lie_apart() {
        let points: Vec<Point> = (0..90)
            .map(|i| {
                let corner = [[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]][i % 3];
                [
                    corner[0] + (i / 3 % 3) as f64,
                    corner[1] + (i / 9 % 3) as f64,
                ]
            })
            .collect();
        // Lloyd's algorithm may end in a poor place; the best of a few starts does not.
        let best = (0..5)
            .map(|seed| k_means(&points, 3, 50, &mut Seed(seed).stream("test")).loss)
            .fold(f64::INFINITY, f64::min);
        // Squared distances from the middle of three by three points: 4/3 each on average.
        assert!((best - 120.0).abs() < 10.0, "{best}");
    }

    #[test]
    fn no_more_clusters_are_made_than_bring_something() {
        // Eight points apart from each other, ten times each: nothing is left to gain by more than eight clusters.
        let points: Vec<Point> = (0..80).map(|i| [f64::from(i % 8) * 10.0, 0.0]).collect();
        let clusters = knee(
            AdaptiveConstants::default(),
            &points,
            &mut Seed(1).stream("test"),
        );
        assert!(clusters.centres.len() < 64, "{}", clusters.centres.len());
    }
}
