//! Grid search: configurations in the order of their indices, as AutoTVM's `GridSearchTuner`.

use std::collections::HashSet;
use std::sync::Arc;

use crate::task::{ConfigIndex, ConfigSpace};

use super::random::take_valid;
use super::{Observation, Proposal, Strategy, StrategyError, StrategyKind, Why};

/// Configurations 0, 1, 2, ...
#[derive(Debug)]
pub struct Grid {
    space: Arc<ConfigSpace>,
    next: u64,
    told: HashSet<ConfigIndex>,
}

impl Grid {
    /// Grid search over `space`.
    pub fn new(space: Arc<ConfigSpace>) -> Self {
        Self {
            space,
            next: 0,
            told: HashSet::new(),
        }
    }
}

impl Strategy for Grid {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Grid
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        let Self { space, next, told } = self;
        take_valid(space, n, Why::Grid, || {
            while *next < space.range_length() {
                let index = ConfigIndex(*next);
                *next += 1;
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
