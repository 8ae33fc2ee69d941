//! Planning ahead: configurations in the order in which they are to be asked.

use std::collections::{BTreeSet, HashSet, VecDeque};

use crate::task::ConfigIndex;

use super::{Proposal, StrategyError};

/// What a strategy wants measured next, and what it must not ask for again.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Asked or told.
    pub known: HashSet<ConfigIndex>,
    /// Asked and not yet told.
    pub pending: BTreeSet<ConfigIndex>,
    queue: VecDeque<Proposal>,
}

impl Plan {
    /// Something was told of a configuration.
    pub fn told(&mut self, index: ConfigIndex) {
        self.known.insert(index);
        self.pending.remove(&index);
    }
}

/// A strategy that plans several configurations at once.
pub(super) trait Planner {
    /// The next configurations, first things first; none when the space has run out.
    fn make_plan(&mut self) -> Result<Vec<Proposal>, StrategyError>;

    /// Its plan.
    fn plan(&mut self) -> &mut Plan;

    /// Up to `n` configurations off the plan, which is made anew as often as it runs out.
    fn ask_planned(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        let mut asked = Vec::with_capacity(n);
        while asked.len() < n {
            if self.plan().queue.is_empty() {
                self.plan().queue = self.make_plan()?.into();
            }
            let plan = self.plan();
            let Some(proposal) = plan.queue.pop_front() else {
                break;
            };
            // It may have been told of since it was planned.
            if plan.known.insert(proposal.index) {
                plan.pending.insert(proposal.index);
                asked.push(proposal);
            }
        }
        Ok(asked)
    }
}
