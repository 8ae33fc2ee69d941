//! All spaces together: mean scores, the first strategy's lead, and where it loses.

use crate::replay::{mean, pooled};
use crate::strategy::StrategyKind;

use super::super::format;
use super::table::{SpaceRuns, comparison, signed};

/// A loss by less than this share of what there is to win is none.
const LEAST_LOSS: f64 = -0.01;

/// The mean score of each strategy over the spaces that have one, each counting the same, the first strategy's lead, and
/// a line about where and to whom the first strategy loses.
pub(super) fn summary(spaces: &[SpaceRuns<'_>], strategies: &[StrategyKind]) -> String {
    let scores: Vec<Vec<&[f64]>> = spaces.iter().filter_map(SpaceRuns::scores).collect();
    let of = |strategy: usize| -> Vec<Vec<f64>> {
        scores
            .iter()
            .map(|space| space[strategy].to_vec())
            .collect()
    };
    let first = of(0);
    let mut rows = Vec::new();
    let mut not_beaten = Vec::new();
    for (s, strategy) in strategies.iter().enumerate() {
        let runs = of(s);
        let means: Vec<f64> = runs.iter().map(|scores| mean(scores)).collect();
        let lead = if s == 0 { None } else { pooled(&first, &runs) };
        if lead.is_some_and(|lead| lead.low <= 0.0) {
            not_beaten.push(strategy.to_string());
        }
        let worst = means.iter().copied().fold(f64::INFINITY, f64::min);
        let mut row = vec![strategy.to_string(), signed(mean(&means)), signed(worst)];
        row.extend(comparison(lead));
        rows.push(row);
    }
    let minus = format!("{} minus it", strategies[0]);
    let head = ["", "score", "worst", &minus, "95 % interval", "p"];
    let table = format::table(&head, 1, rows);
    let lost: Vec<String> = spaces
        .iter()
        .flat_map(|space| space.loses_to(LEAST_LOSS))
        .collect();
    format!(
        "all {} spaces with a score, each counting the same\n{table}\n{first} loses by more than {least} (95 %) to: {lost}\n\
         {first} is not ahead over all (95 %) of: {not_beaten}",
        scores.len(),
        first = strategies[0],
        least = -LEAST_LOSS,
        lost = listed(&lost),
        not_beaten = listed(&not_beaten),
    )
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
