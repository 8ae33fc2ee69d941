//! What random search comes to, without running it.

/// The expected share of the optimum (optimum / best so far) after 1, 2, ... `budget` random draws without repetition
/// from `configurations`, of which those with `costs` run and the others fail; a run that has found nothing has 0.
///
/// Exact: the best of n draws out of N is the i-th best configuration with probability C(N-i, n-1) / C(N, n).
/// After all configurations are drawn the expectation stays 1. Empty where nothing runs.
pub fn random_expectation(costs: &[f64], configurations: u64, budget: usize) -> Vec<f64> {
    let mut costs = costs.to_vec();
    costs.sort_by(f64::total_cmp);
    let Some(&optimum) = costs.first() else {
        return Vec::new();
    };
    let shares: Vec<f64> = costs.iter().map(|cost| optimum / cost).collect();
    let all = configurations as f64;
    (1..=budget)
        .map(|n| {
            let n = n as f64;
            if n >= all {
                return 1.0;
            }
            let mut probability = n / all;
            let mut expectation = 0.0;
            for (i, share) in shares.iter().enumerate() {
                expectation += probability * share;
                // Before the draw of rank i + 2, so many configurations are no better than rank i + 1.
                let left = all - (i as f64 + 1.0);
                probability *= ((left - n + 1.0) / left).max(0.0);
                if probability == 0.0 {
                    break;
                }
            }
            expectation
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean over all subsets of size n, by counting them.
    fn by_enumeration(shares: &[f64], n: usize) -> f64 {
        let subsets = (0u32..1 << shares.len()).filter(|set| set.count_ones() as usize == n);
        let bests: Vec<f64> = subsets
            .map(|set| {
                let drawn = (0..shares.len()).filter(|i| set >> i & 1 == 1);
                drawn.map(|i| shares[i]).fold(0.0, f64::max)
            })
            .collect();
        bests.iter().sum::<f64>() / bests.len() as f64
    }

    #[test]
    fn the_expectation_is_the_mean_over_all_draws() {
        let costs = [4.0, 1.0, 2.5, 2.0, 8.0];
        // Five that run and three that fail.
        let shares = [0.25, 1.0, 0.4, 0.5, 0.125, 0.0, 0.0, 0.0];
        let expectation = random_expectation(&costs, 8, 10);
        for (n, expected) in expectation.iter().enumerate().take(8) {
            let exact = by_enumeration(&shares, n + 1);
            assert!((expected - exact).abs() < 1e-12, "{} draws", n + 1);
        }
        assert_eq!(expectation[7..], [1.0, 1.0, 1.0]);
    }

    #[test]
    fn nothing_is_expected_where_nothing_runs() {
        assert!(random_expectation(&[], 8, 10).is_empty());
    }
}
