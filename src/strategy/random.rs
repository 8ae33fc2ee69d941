//! Random search without repetition.

use std::collections::HashSet;
use std::sync::Arc;

use crate::seed::Seed;
use crate::task::{ConfigIndex, ConfigSpace};

use super::permutation::Permutation;
use super::{Observation, Proposal, Strategy, StrategyError, StrategyKind, Why};

/// Configurations in a random order, each once.
#[derive(Debug)]
pub struct Random {
    space: Arc<ConfigSpace>,
    order: Permutation,
    next: u64,
    told: HashSet<ConfigIndex>,
}

impl Random {
    /// Random search over `space`; the order is the stream `random` of `seed`.
    pub fn new(space: Arc<ConfigSpace>, seed: Seed) -> Self {
        let order = Permutation::new(space.range_length(), &mut seed.stream("random"));
        Self {
            space,
            order,
            next: 0,
            told: HashSet::new(),
        }
    }
}

impl Random {
    /// Up to `n` valid configurations that are not `known`, in the random order.
    ///
    /// For strategies that draw some of what they propose: they know what they asked for by other means.
    pub(super) fn ask_unknown(
        &mut self,
        n: usize,
        known: &HashSet<ConfigIndex>,
    ) -> Result<Vec<Proposal>, StrategyError> {
        let mut fresh = Vec::new();
        while fresh.len() < n {
            let drawn = self.ask(n - fresh.len())?;
            if drawn.is_empty() {
                break;
            }
            fresh.extend(drawn.into_iter().filter(|p| !known.contains(&p.index)));
        }
        Ok(fresh)
    }
}

impl Strategy for Random {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Random
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        let Self {
            space,
            order,
            next,
            told,
        } = self;
        take_valid(space, n, Why::Random, || {
            while *next < space.range_length() {
                let index = ConfigIndex(order.apply(*next));
                *next += 1;
                // Asked ones need no memory, for the order has no repetition; told ones may come from a log.
                if !told.contains(&index) {
                    return Some(index);
                }
            }
            None
        })
    }

    fn tell(&mut self, observations: &[Observation]) -> Result<(), StrategyError> {
        self.told.extend(observations.iter().map(|o| o.index));
        Ok(())
    }
}

/// After so many draws in a row that the template's condition refuses, the space counts as exhausted: it may have
/// 1e9 configurations and not one that is valid.
pub(super) const MOST_DRAWS_IN_VAIN: usize = 1 << 16;

/// Draws from `next` until `n` configurations satisfy the template's condition or there are no more.
///
/// The condition is asked in batches, because it lives in another process.
pub(super) fn take_valid(
    space: &ConfigSpace,
    n: usize,
    why: Why,
    mut next: impl FnMut() -> Option<ConfigIndex>,
) -> Result<Vec<Proposal>, StrategyError> {
    let mut proposals = Vec::with_capacity(n);
    let mut in_vain = 0;
    while proposals.len() < n && in_vain < MOST_DRAWS_IN_VAIN {
        let drawn: Vec<ConfigIndex> = std::iter::from_fn(&mut next)
            .take(n - proposals.len())
            .collect();
        if drawn.is_empty() {
            break;
        }
        let valid = space.valid(&drawn)?;
        in_vain = if valid.contains(&true) {
            0
        } else {
            in_vain + drawn.len()
        };
        let kept = drawn.into_iter().zip(valid).filter(|&(_, valid)| valid);
        proposals.extend(kept.map(|(index, _)| Proposal { index, why }));
    }
    Ok(proposals)
}
