//! Failures by their reason.

use std::collections::BTreeMap;

use crate::measure::Failure;

/// How often candidates failed, by reason.
#[derive(Clone, Debug, Default)]
pub struct FailureCounts {
    counts: BTreeMap<String, usize>,
}

impl FailureCounts {
    /// Counts a failure.
    pub fn add(&mut self, failure: &Failure) {
        let kind = format!("{}: {}", failure.error_no.name(), failure.kind);
        *self.counts.entry(kind).or_default() += 1;
    }

    /// All failures.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// The `n` most frequent reasons with their counts, most frequent first.
    pub fn most_frequent(&self, n: usize) -> Vec<(&str, usize)> {
        let mut sorted: Vec<(&str, usize)> = self
            .counts
            .iter()
            .map(|(kind, &count)| (kind.as_str(), count))
            .collect();
        // Stable: equal counts stay in alphabetical order.
        sorted.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        sorted.truncate(n);
        sorted
    }
}
