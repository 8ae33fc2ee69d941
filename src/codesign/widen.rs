//! What is evaluated for the Pareto front: accelerators that are hoped to beat what none of those evaluated beats.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, HashSet};
use std::iter;

use crate::vta::config::Geometry;

use super::beliefs::Expected;
use super::landscape::Expectation;
use super::ledger::{Core, Point};
use super::limits::Cost;
use super::network::Network;
use super::volume::Volume;

/// Constants of what is evaluated for the Pareto front.
#[derive(Clone, Copy, Debug)]
pub struct FrontConstants {
    /// A geometry whose score is more than so many times the best is no point of the front.
    pub reach: f64,
    /// Least share of the box of time and resources that a new point is hoped to add for each evaluation.
    pub least_gain: f64,
}

impl Default for FrontConstants {
    fn default() -> Self {
        Self {
            reach: 8.0,
            least_gain: 1e-6,
        }
    }
}

/// A geometry with what has to be evaluated before it is a point.
struct Candidate {
    cost: Cost,
    hoped: f64,
    missing: Vec<Point>,
}

/// A candidate's place in the queue; what it adds gets less as others are taken.
struct Queued {
    gain: f64,
    candidate: usize,
}

/// At most `n` evaluations, those first from whose geometry the largest hypervolume is hoped for, by evaluation; none when
/// hardly anything is hoped for.
pub(super) fn widen(
    expectation: &mut Expectation<'_>,
    n: usize,
    optimism: f64,
    constants: &FrontConstants,
) -> Vec<Point> {
    let (candidates, evaluated) = candidates(expectation, optimism);
    let best = evaluated.iter().map(|(score, _)| *score);
    let best = best.fold(f64::INFINITY, f64::min);
    if !best.is_finite() {
        return Vec::new();
    }
    let all = expectation.problem.geometries.all();
    let mut volume = Volume::new(all, constants.reach * best);
    for (score, cost) in &evaluated {
        volume.add(*score, cost);
    }
    let mut taken = Vec::new();
    let mut programs = HashSet::new();
    let gain = |volume: &Volume, programs: &HashSet<_>, candidate: &Candidate| {
        let new = candidate.missing.iter();
        let new = new.filter(|point| !programs.contains(&point.program()));
        volume.gain(candidate.hoped, &candidate.cost) / new.count().max(1) as f64
    };
    let first = candidates.iter().enumerate().map(|(i, candidate)| Queued {
        gain: gain(&volume, &programs, candidate),
        candidate: i,
    });
    let mut queue: BinaryHeap<Queued> = first.filter(|q| q.gain >= constants.least_gain).collect();
    while let Some(first) = queue.pop() {
        let candidate = &candidates[first.candidate];
        let now = Queued {
            gain: gain(&volume, &programs, candidate),
            ..first
        };
        if now.gain < constants.least_gain {
            continue;
        }
        if queue.peek().is_some_and(|next| *next > now) {
            queue.push(now);
            continue;
        }
        volume.add(candidate.hoped, &candidate.cost);
        for point in &candidate.missing {
            if programs.insert(point.program()) {
                taken.push(*point);
                if taken.len() == n {
                    return taken;
                }
            }
        }
    }
    taken
}

/// Geometries of which something is hoped for that was not evaluated, and the scores of those that were, with their costs.
fn candidates(
    expectation: &mut Expectation<'_>,
    optimism: f64,
) -> (Vec<Candidate>, Vec<(f64, Cost)>) {
    let problem = expectation.problem;
    let mut cores: BTreeMap<Core, Vec<Geometry>> = BTreeMap::new();
    for geometry in problem.geometries.all() {
        cores.entry(Core::of(geometry)).or_default().push(*geometry);
    }
    let (mut candidates, mut evaluated) = (Vec::new(), Vec::new());
    let layers = problem.network.layers();
    for (core, geometries) in cores {
        let considered: Vec<_> = (0..layers.len())
            .map(|layer| {
                let mut all = expectation.considered(&core, layer).to_vec();
                all.sort_by(|a, b| a.hoped(optimism).total_cmp(&b.hoped(optimism)));
                all
            })
            .collect();
        for geometry in geometries {
            let outlook = Outlook::of(&problem.network, &considered, &geometry, optimism);
            let Some(outlook) = outlook else { continue };
            let cost = Cost::of(&geometry);
            if let Some(cycles) = outlook.known {
                evaluated.push((problem.score(cycles, &geometry), cost));
            }
            if !outlook.missing.is_empty() {
                let pressure = problem.geometries.limits().pressure(&geometry);
                candidates.push(Candidate {
                    cost,
                    hoped: problem.score(outlook.hoped, &geometry) * (1.0 + pressure),
                    missing: outlook.missing,
                });
            }
        }
    }
    (candidates, evaluated)
}

/// A network on a geometry.
struct Outlook {
    /// Cycles that are hoped for.
    hoped: f64,
    /// Cycles by what was evaluated; none while a layer has no schedule.
    known: Option<f64>,
    /// Schedules from which the hope comes and that were not evaluated.
    missing: Vec<Point>,
}

impl Outlook {
    /// By what is considered of each layer, from which most is hoped first; none where a layer has nothing that fits.
    fn of(
        network: &Network,
        considered: &[Vec<Expected>],
        geometry: &Geometry,
        optimism: f64,
    ) -> Option<Self> {
        let mut outlook = Self {
            hoped: 0.0,
            known: Some(0.0),
            missing: Vec::new(),
        };
        for (layer, (of_layer, considered)) in network.layers().iter().zip(considered).enumerate() {
            let conv = of_layer.convolution.packed(geometry);
            let repack = of_layer.convolution.repack_cycles(geometry) as f64;
            let in_network = |cycles: f64| f64::from(of_layer.uses) * (cycles + repack);
            let fits =
                |e: &&Expected| e.mean.is_finite() && conv.refusal(geometry, &e.tiles).is_none();
            let mut fitting = considered.iter().filter(fits);
            let first = fitting.next()?;
            outlook.hoped += in_network(first.hoped(optimism));
            outlook.known = outlook.known.and_then(|sum| {
                let told = iter::once(first).chain(fitting).find(|e| e.known)?;
                Some(sum + in_network(told.mean.exp()))
            });
            if !first.known {
                outlook.missing.push(Point {
                    layer,
                    geometry: *geometry,
                    tiles: first.tiles,
                });
            }
        }
        Some(outlook)
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    /// Of equal gains the candidate that was listed first comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        let gains = self.gain.total_cmp(&other.gain);
        gains.then_with(|| other.candidate.cmp(&self.candidate))
    }
}
