//! Simulated annealing over a cost model: AutoTVM's `SimulatedAnnealingOptimizer` (TVM 0.19).

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashSet};

use rand::{Rng, RngExt};

use crate::task::{ConfigIndex, ConfigSpace, Digits};

use super::StrategyError;

/// Constants of the annealing of [`SaGbt`](super::SaGbt); the defaults are AutoTVM's.
#[derive(Clone, Copy, Debug)]
pub struct AnnealingConstants {
    /// Most steps of every walk (`n_iter`).
    pub steps: usize,
    /// Temperature at the first step and after the last; it falls linearly (`temp`).
    pub temperature: (f64, f64),
    /// Steps without a better maximum after which it ends (`early_stop`).
    pub patience: usize,
    /// Walks at once (`parallel_size`).
    pub walks: usize,
}

impl Default for AnnealingConstants {
    fn default() -> Self {
        Self {
            steps: 500,
            temperature: (1.0, 0.0),
            patience: 50,
            walks: 128,
        }
    }
}

/// Attempts at a step to a valid configuration before a walk stays where it is. AutoTVM tries for ever.
const ATTEMPTS: usize = 32;

/// Walks that go on, from one cost model to the next, where they stood (`persistent`).
#[derive(Clone, Debug)]
pub(super) struct Annealing {
    constants: AnnealingConstants,
    /// Where the walks stand.
    points: Vec<Digits>,
}

/// A configuration and its score; the greater has the higher score.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Maximum {
    score: f64,
    index: ConfigIndex,
}

impl Eq for Maximum {}

impl Ord for Maximum {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score
            .total_cmp(&other.score)
            .then(self.index.cmp(&other.index))
    }
}

impl PartialOrd for Maximum {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The best `most` configurations seen so far that are not `excluded`.
struct Maxima<'a> {
    most: usize,
    excluded: &'a HashSet<ConfigIndex>,
    heap: BinaryHeap<Reverse<Maximum>>,
    members: HashSet<ConfigIndex>,
}

impl Maxima<'_> {
    /// Whether it belongs to them.
    fn offer(&mut self, score: f64, index: ConfigIndex) -> bool {
        let full = self.heap.len() >= self.most;
        let lowest = self.heap.peek().map(|lowest| lowest.0.score);
        if full && lowest.is_none_or(|lowest| score <= lowest)
            || self.excluded.contains(&index)
            || self.members.contains(&index)
        {
            return false;
        }
        if full && let Some(Reverse(dropped)) = self.heap.pop() {
            self.members.remove(&dropped.index);
        }
        self.heap.push(Reverse(Maximum { score, index }));
        self.members.insert(index);
        true
    }
}

impl Annealing {
    /// Walks that start at `points`.
    pub(super) const fn new(constants: AnnealingConstants, points: Vec<Digits>) -> Self {
        Self { constants, points }
    }

    /// Up to `most` configurations with a high `score` that are not `excluded`, the best first; those that score
    /// below zero are left out.
    pub(super) fn find_maxima(
        &mut self,
        space: &ConfigSpace,
        excluded: &HashSet<ConfigIndex>,
        most: usize,
        rng: &mut impl Rng,
        score: impl Fn(&[Digits]) -> Vec<f64>,
    ) -> Result<Vec<ConfigIndex>, StrategyError> {
        let AnnealingConstants {
            steps,
            temperature: (hot, cold),
            patience,
            ..
        } = self.constants;
        if self.points.is_empty() {
            return Ok(Vec::new());
        }
        let mut maxima = Maxima {
            most,
            excluded,
            heap: BinaryHeap::new(),
            members: HashSet::new(),
        };
        let mut scores = score(&self.points);
        for (point, &score) in self.points.iter().zip(&scores) {
            maxima.offer(score, space.index(point));
        }
        let cooling = (hot - cold) / (steps + 1) as f64;
        let mut improved = 0;
        for step in 0..steps {
            if step >= improved + patience {
                break;
            }
            let temperature = (step as f64).mul_add(-cooling, hot);
            let moved = random_walk(space, &self.points, rng)?;
            let new_scores = score(&moved);
            for (walk, (point, new)) in moved.into_iter().zip(new_scores).enumerate() {
                if maxima.offer(new, space.index(&point)) {
                    improved = step;
                }
                let gain = (new - scores[walk]) / (temperature + 1e-5);
                if rng.random::<f64>() < gain.min(1.0).exp() {
                    self.points[walk] = point;
                    scores[walk] = new;
                }
            }
        }
        let mut found: Vec<Maximum> = maxima
            .heap
            .into_iter()
            .map(|Reverse(found)| found)
            .collect();
        found.retain(|found| found.score >= 0.0);
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.index.cmp(&b.index)));
        Ok(found.into_iter().map(|found| found.index).collect())
    }
}

/// Every point with one knob drawn anew (`ConfigSpace.random_walk`): another configuration, and a valid one.
fn random_walk(
    space: &ConfigSpace,
    points: &[Digits],
    rng: &mut impl Rng,
) -> Result<Vec<Digits>, StrategyError> {
    let mut moved = points.to_vec();
    if space.free_knobs().next().is_none() {
        return Ok(moved);
    }
    let mut open: Vec<usize> = (0..points.len()).collect();
    for _ in 0..ATTEMPTS {
        for &walk in &open {
            // As AutoTVM does, an attempt goes on from the one before it.
            loop {
                let knob = rng.random_range(0..moved[walk].len());
                moved[walk][knob] = rng.random_range(0..space.knobs()[knob].len() as u32);
                if moved[walk] != points[walk] {
                    break;
                }
            }
        }
        if !space.is_filtered() {
            return Ok(moved);
        }
        let indices: Vec<ConfigIndex> = open.iter().map(|&w| space.index(&moved[w])).collect();
        let valid = space.valid(&indices)?;
        open = open
            .into_iter()
            .zip(valid)
            .filter_map(|(walk, valid)| (!valid).then_some(walk))
            .collect();
        if open.is_empty() {
            return Ok(moved);
        }
    }
    for walk in open {
        moved[walk].clone_from(&points[walk]);
    }
    Ok(moved)
}
