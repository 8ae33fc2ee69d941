//! `droplet`: AutoTVM's coordinate descent (`autotvm.tuner.DropletTuner` of TVM 0.19; Canesche et al., "The Droplet
//! Search Algorithm for Kernel Scheduling", 2024).
//!
//! From the first configuration it goes to whichever neighbour is faster; neighbours are one step up or down in any
//! set of knobs. Where none is faster it looks further and further away, up to the size of the largest knob.

use std::collections::HashSet;
use std::sync::Arc;

use crate::seed::Seed;
use crate::task::{ConfigIndex, ConfigSpace, Digits};

use super::random::{MOST_DRAWS_IN_VAIN, Random};
use super::{Observation, Proposal, Strategy, StrategyError, StrategyKind, Why};

/// Coordinate descent.
///
/// As AutoTVM's as long as that goes on; where AutoTVM's ends, this one starts again from a configuration at random.
///
/// AutoTVM moves only if a t-test of the repeats tells the two apart (p <= 0.05), and always if either was measured
/// once. Strategies see means, which count as measured once.
pub struct Droplet {
    space: Arc<ConfigSpace>,
    random: Random,
    /// Where the descent stands, and its cost.
    best: (Digits, f64),
    /// What the descent has come to consider.
    visited: HashSet<ConfigIndex>,
    /// Asked or told.
    known: HashSet<ConfigIndex>,
    /// What is to be measured next.
    next: Vec<ConfigIndex>,
    /// Told since the last batch.
    told: Vec<(Digits, f64)>,
    /// Steps of the neighbours that were looked at last.
    reach: u32,
    /// Size of the last batch, none before the first.
    batch: Option<usize>,
}

impl Droplet {
    /// Descent in `space` from its first configuration; later starts come from the stream `random` of `seed`.
    pub fn new(space: Arc<ConfigSpace>, seed: Seed) -> Self {
        let start = vec![0; space.knobs().len()];
        Self {
            random: Random::new(Arc::clone(&space), seed),
            best: (start, f64::INFINITY),
            visited: HashSet::from([ConfigIndex(0)]),
            known: HashSet::new(),
            next: vec![ConfigIndex(0)],
            told: Vec::new(),
            reach: 1,
            batch: None,
            space,
        }
    }

    /// Moves to the best that was told, and considers what to measure next (`update`).
    fn update(&mut self) {
        let mut moved = false;
        for (digits, cost) in self.told.drain(..) {
            if cost < self.best.1 {
                self.best = (digits, cost);
                moved = true;
            }
        }
        if let Some(batch) = self.batch {
            self.next.drain(..batch.min(self.next.len()));
            // `self.next[self.batch : -1]`: AutoTVM forgets the last one.
            self.next.pop();
        }
        if moved {
            self.consider(1);
            self.reach = 1;
        }
        self.speculate();
    }

    /// Looks further away while there is not enough to measure (`speculation`).
    fn speculate(&mut self) {
        let furthest = self.space.sizes().max().unwrap_or(1) as u32;
        while self.next.len() < self.batch.unwrap_or(1) && self.reach < furthest {
            self.reach += 1;
            self.consider(self.reach);
        }
    }

    /// Adds neighbours that lie `steps` away in some of the knobs (`next_pos` of `search_space`).
    fn consider(&mut self, steps: u32) {
        let sizes: Vec<u32> = self.space.sizes().map(|size| size as u32).collect();
        // Sets of knobs as bits, the first knob highest; all of them first.
        let knobs = sizes.len().min(63);
        let sets = (1..1u64 << knobs).rev();
        let mut found = 0;
        for (set, up) in sets
            .flat_map(|set| [(set, true), (set, false)])
            .take(MOST_DRAWS_IN_VAIN)
        {
            if found > self.batch.unwrap_or(1) {
                break;
            }
            let mut digits = self.best.0.clone();
            for (k, (digit, size)) in digits.iter_mut().zip(&sizes).take(knobs).enumerate() {
                if set >> (knobs - 1 - k) & 1 == 1 {
                    // Past the end it comes back from the start, below the start it stops.
                    *digit = if up {
                        (*digit + steps) % size
                    } else {
                        digit.saturating_sub(steps)
                    };
                }
            }
            let index = self.space.index(&digits);
            if self.visited.insert(index) {
                self.next.push(index);
                found += 1;
            }
        }
    }

    /// The part of the next batch that is valid and not known.
    fn fresh(&self) -> Result<Vec<ConfigIndex>, StrategyError> {
        let batch = &self.next[..self.batch.unwrap_or(1).min(self.next.len())];
        let valid = self.space.valid(batch)?;
        Ok(batch
            .iter()
            .zip(valid)
            .filter(|&(index, valid)| valid && !self.known.contains(index))
            .map(|(index, _)| *index)
            .collect())
    }
}

impl Strategy for Droplet {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Droplet
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        if n == 0 {
            return Ok(Vec::new());
        }
        loop {
            if self.batch.is_some() || !self.told.is_empty() {
                self.update();
            }
            self.batch = Some(n);
            let mut why = Why::Neighbour;
            if self.next.is_empty() {
                let Some(start) = self.random.ask_unknown(1, &self.known)?.pop() else {
                    return Ok(Vec::new());
                };
                self.best = (self.space.digits(start.index)?, f64::INFINITY);
                self.visited.insert(start.index);
                self.next.push(start.index);
                self.reach = 1;
                why = Why::Random;
            }
            let fresh = self.fresh()?;
            if !fresh.is_empty() {
                self.known.extend(&fresh);
                return Ok(fresh
                    .into_iter()
                    .map(|index| Proposal { index, why })
                    .collect());
            }
        }
    }

    fn tell(&mut self, observations: &[Observation]) -> Result<(), StrategyError> {
        for observation in observations {
            let digits = self.space.digits(observation.index)?;
            self.known.insert(observation.index);
            self.visited.insert(observation.index);
            let cost = observation.outcome.comparable_cost();
            self.told.push((digits, cost.unwrap_or(f64::INFINITY)));
        }
        self.random.tell(observations)
    }
}
