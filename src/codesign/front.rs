//! Time against resources: which geometries are beaten by no other.

use super::ledger::Ledger;
use super::limits::Cost;
use super::search::{Problem, Scored};

/// A geometry of a Pareto front.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrontPoint {
    /// Geometry and score.
    pub scored: Scored,
    /// What it costs.
    pub cost: Cost,
}

/// Of the geometries that were evaluated in every layer, those that no other beats in score, multipliers and buffer bits
/// together; the best score first.
pub fn pareto_front(problem: &Problem, ledger: &Ledger) -> Vec<FrontPoint> {
    let all = problem.geometries.all().iter();
    let mut points: Vec<FrontPoint> = all
        .filter_map(|geometry| {
            let score = problem.evaluated(ledger, geometry)?;
            Some(FrontPoint {
                scored: Scored {
                    geometry: *geometry,
                    score,
                },
                cost: Cost::of(geometry),
            })
        })
        .collect();
    points.sort_by(|a, b| {
        let resources = |p: &FrontPoint| (p.cost.macs, p.cost.sram_bits);
        a.scored
            .score
            .total_cmp(&b.scored.score)
            .then_with(|| resources(a).cmp(&resources(b)))
    });
    let mut front: Vec<FrontPoint> = Vec::new();
    for point in points {
        // Those before it are at least as fast.
        if !front.iter().any(|better| better.cost.within(&point.cost)) {
            front.push(point);
        }
    }
    front
}
