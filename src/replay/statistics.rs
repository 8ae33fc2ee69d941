//! Whether two strategies differ by more than chance.

use rand::RngExt;

use crate::seed::Seed;

/// Resamples of a bootstrap.
const RESAMPLES: usize = 10_000;

/// The mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    match values.len() {
        0 => 0.0,
        n => values.iter().sum::<f64>() / n as f64,
    }
}

/// The standard deviation of a sample; 0 of fewer than two values.
pub fn standard_deviation(values: &[f64]) -> f64 {
    let (n, mean) = (values.len(), mean(values));
    if n < 2 {
        return 0.0;
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (n as f64 - 1.0)).sqrt()
}

/// The value below which this share of the values lies, interpolated between neighbours; NaN of nothing.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = share * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

/// The middle value; NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// A comparison of two strategies over the same seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    /// Mean difference.
    pub difference: f64,
    /// Lower end of its 95 % interval (percentile bootstrap over seeds).
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Two-sided p-value of Wilcoxon's signed-rank test, exact.
    pub p: f64,
}

impl Paired {
    /// Compares `ours` with `theirs`, value by value; `None` of nothing.
    ///
    /// # Panics
    /// When they are not equally many.
    pub fn new(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        assert_eq!(ours.len(), theirs.len(), "one value for each seed");
        let differences: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
        Self::pooled(&[differences])
    }

    /// The mean over groups of the mean difference within each, as [`pooled`] has it; the test takes all differences.
    fn pooled(groups: &[Vec<f64>]) -> Option<Self> {
        if groups.is_empty() || groups.iter().any(Vec::is_empty) {
            return None;
        }
        let of_means =
            |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / groups.len() as f64;
        let difference = of_means(&mut groups.iter().map(|group| mean(group)));
        let mut rng = Seed(0).stream("bootstrap");
        let resampled: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                of_means(&mut groups.iter().map(|group| {
                    let drawn = (0..group.len()).map(|_| group[rng.random_range(0..group.len())]);
                    drawn.sum::<f64>() / group.len() as f64
                }))
            })
            .collect();
        Some(Self {
            difference,
            low: quantile(&resampled, 0.025),
            high: quantile(&resampled, 0.975),
            p: signed_rank_p(&groups.concat()),
        })
    }
}

/// Compares two strategies over several spaces, each with its own seeds: every space counts the same, and seeds are
/// resampled within their space. `None` without a space, or where one has no seed.
///
/// # Panics
/// When a space has not as many values of one strategy as of the other.
pub fn pooled(ours: &[Vec<f64>], theirs: &[Vec<f64>]) -> Option<Paired> {
    assert_eq!(ours.len(), theirs.len(), "the same spaces");
    let groups: Vec<Vec<f64>> = ours
        .iter()
        .zip(theirs)
        .map(|(ours, theirs)| {
            assert_eq!(ours.len(), theirs.len(), "one value for each seed");
            ours.iter().zip(theirs).map(|(a, b)| a - b).collect()
        })
        .collect();
    Paired::pooled(&groups)
}

/// Two-sided p-value of Wilcoxon's signed-rank test: zeros are left out, ties share their ranks, and the distribution is
/// counted rather than approximated.
fn signed_rank_p(differences: &[f64]) -> f64 {
    let mut values: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    values.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    // Twice the rank, so that a rank shared by two is a whole number, too.
    let mut ranks = Vec::with_capacity(values.len());
    while ranks.len() < values.len() {
        let start = ranks.len();
        let tied = values[start..]
            .iter()
            .take_while(|value| value.abs() == values[start].abs())
            .count();
        ranks.extend(std::iter::repeat_n(2 * start + tied + 1, tied));
    }
    let total: usize = ranks.iter().sum();
    // Probability of each sum of the ranks of positive differences, every sign being as likely as the other.
    let mut probability = vec![0.0; total + 1];
    probability[0] = 1.0;
    let mut reached = 0;
    for &rank in &ranks {
        reached += rank;
        for sum in (0..=reached).rev() {
            let with = sum.checked_sub(rank).map_or(0.0, |rest| probability[rest]);
            probability[sum] = (probability[sum] + with) / 2.0;
        }
    }
    let positive: usize = values
        .iter()
        .zip(&ranks)
        .filter_map(|(value, rank)| (*value > 0.0).then_some(*rank))
        .sum();
    let lower = positive.min(total - positive);
    let tail: f64 = probability[..=lower].iter().sum();
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let values = [3.0, 1.0, 2.0, 10.0];
        assert_eq!(median(&values), 2.5);
        assert_eq!(quantile(&values, 1.0), 10.0);
        assert!(median(&[]).is_nan());
        assert!((standard_deviation(&values) - 4.082_482_904_638_63).abs() < 1e-12);
    }

    #[test]
    fn the_signed_rank_test_agrees_with_scipy() {
        // scipy.stats.wilcoxon(d, method="exact").pvalue; without ties.
        let d = [1.5, -0.5, 2.0, 3.5, -1.0, 4.0, 2.5, 0.25];
        assert!((signed_rank_p(&d) - 0.078_125).abs() < 1e-12);
        // All of one sign: 2 / 2^n.
        assert!((signed_rank_p(&[1.0, 2.0, 3.0, 4.0, 5.0]) - 0.0625).abs() < 1e-12);
        assert_eq!(signed_rank_p(&[0.0, 0.0]), 1.0);
        // By hand: ranks 1.5, 1.5, 3; sums of 8 sign patterns; those as far from 3 as 3 + 0 are all.
        assert_eq!(signed_rank_p(&[1.0, 1.0, -2.0]), 1.0);
    }

    #[test]
    fn an_interval_holds_the_difference_and_shrinks_with_more_seeds() {
        let noise = |i: usize| ((i * 37 % 100) as f64 - 49.5) / 100.0;
        let width = |n: usize| {
            let theirs: Vec<f64> = (0..n).map(noise).collect();
            let ours: Vec<f64> = (0..n).map(|i| noise(i * 7 + 3) + 0.2).collect();
            let paired = Paired::new(&ours, &theirs).unwrap();
            assert!(paired.low < 0.2 && 0.2 < paired.high, "{paired:?}");
            paired.high - paired.low
        };
        assert!(width(400) < width(50));
        assert_eq!(Paired::new(&[], &[]), None);
    }

    #[test]
    fn pooled_spaces_count_the_same_whatever_their_seeds() {
        let ours = [vec![1.0; 4], vec![0.0; 2]];
        let theirs = [vec![0.0; 4], vec![0.0; 2]];
        let paired = pooled(&ours, &theirs).unwrap();
        assert_eq!(
            (paired.difference, paired.low, paired.high),
            (0.5, 0.5, 0.5)
        );
    }
}
