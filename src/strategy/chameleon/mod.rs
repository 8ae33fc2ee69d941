//! `chameleon`: CHAMELEON (Ahn et al., ICLR 2020, arXiv 2001.08743), re-implemented: its public code does not run.
//!
//! One agent walks through the space, one step down, none or one up in every knob at a time, and learns by PPO to go
//! where the cost model's scores are high. Of what it visits, adaptive sampling measures only a few: k-means over the
//! two largest knobs, as many clusters as reach the knee of its loss, one configuration for each.

mod adaptive;
mod policy;
mod walks;

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::seed::Seed;
use crate::surrogate::{CostModel, KnobFeatures, RecallStoppedConstants, RecallStoppedTrees};
use crate::task::{ConfigIndex, ConfigSpace, Digits};

use super::measured::Measured;
use super::plan::{Plan, Planner};
use super::random::Random;
use super::{Observation, Proposal, Strategy, StrategyError, StrategyKind, Why};
pub use adaptive::AdaptiveConstants;
use adaptive::representatives;
use policy::Policy;
pub use policy::PolicyConstants;
pub use walks::WalkConstants;
use walks::Walks;

/// Constants of [`Chameleon`]; the defaults are the paper's as far as it has them.
#[derive(Clone, Copy, Debug)]
pub struct ChameleonConstants {
    /// Random measurements before the first fit.
    pub first: usize,
    /// Share of a plan that is drawn at random instead.
    pub explore: f64,
    /// The agent's walks.
    pub walks: WalkConstants,
    /// The agent.
    pub policy: PolicyConstants,
    /// What is measured of what it visited.
    pub adaptive: AdaptiveConstants,
    /// The cost model: AutoTVM's, which CHAMELEON kept.
    pub trees: RecallStoppedConstants,
}

impl Default for ChameleonConstants {
    fn default() -> Self {
        Self {
            first: 64,
            explore: 0.05,
            walks: WalkConstants::default(),
            policy: PolicyConstants::default(),
            adaptive: AdaptiveConstants::default(),
            trees: RecallStoppedConstants::default(),
        }
    }
}

/// Reinforcement learning over a cost model, and adaptive sampling.
pub struct Chameleon {
    space: Arc<ConfigSpace>,
    constants: ChameleonConstants,
    features: KnobFeatures,
    model: RecallStoppedTrees,
    /// Made when it is first needed; never in a space with nothing to move.
    policy: Option<Policy>,
    seed: Seed,
    rng: ChaCha8Rng,
    random: Random,
    rounds: u64,
    measured: Measured,
    plan: Plan,
}

impl Chameleon {
    /// Search over `space`; draws come from the streams `chameleon`, `chameleon weights` and `random` of `seed`.
    pub fn new(space: Arc<ConfigSpace>, seed: Seed, constants: ChameleonConstants) -> Self {
        Self {
            constants,
            features: KnobFeatures::new(&space),
            model: RecallStoppedTrees::new(constants.trees),
            policy: None,
            seed,
            rng: seed.stream("chameleon"),
            random: Random::new(Arc::clone(&space), seed),
            rounds: 0,
            measured: Measured::default(),
            plan: Plan::default(),
            space,
        }
    }

    /// One round of walks, from which the agent learns: what was visited, with the model's score.
    fn explore(&mut self) -> Result<BTreeMap<ConfigIndex, f64>, StrategyError> {
        let policy = match &mut self.policy {
            Some(policy) => policy,
            none => {
                let knobs = self.space.free_knobs().count();
                let mut weights = self.seed.stream("chameleon weights");
                none.insert(Policy::new(self.constants.policy, knobs, &mut weights)?)
            }
        };
        self.rounds += 1;
        let seed = self.seed.child(&format!("chameleon round {}", self.rounds));
        let starts = Random::new(Arc::clone(&self.space), seed)
            .ask(self.constants.walks.walks)?
            .iter()
            .map(|start| self.space.digits(start.index))
            .collect::<Result<Vec<Digits>, _>>()?;
        let walks = Walks::walk(
            &self.space,
            self.constants.walks,
            starts,
            policy,
            &mut self.rng,
            |digits| self.model.predict(&self.features.table(digits)),
        )?;
        policy.learn(&walks.experience(self.constants.policy), &mut self.rng)?;
        Ok(walks.visited)
    }
}

impl Planner for Chameleon {
    fn make_plan(&mut self) -> Result<Vec<Proposal>, StrategyError> {
        let best = self.measured.best_cost();
        let missing = self.constants.first.saturating_sub(self.measured.len());
        let movable = self.space.free_knobs().next().is_some();
        let (0, Some(best), true) = (missing, best, movable) else {
            return self.random.ask_unknown(missing.max(1), &self.plan.known);
        };
        self.measured.teach(&mut self.model, &self.features, best)?;
        let visited = self.explore()?;
        let sampled = representatives(
            &self.space,
            self.constants.adaptive,
            &visited,
            &self.plan.known,
            &mut self.rng,
        );
        let valid = self.space.valid(&sampled)?;
        let mut plan: Vec<Proposal> = sampled
            .into_iter()
            .zip(valid)
            .filter(|&(_, valid)| valid)
            .map(|(index, _)| Proposal {
                index,
                why: Why::Synthesised,
            })
            .collect();
        let explore = (self.constants.explore * plan.len() as f64) as usize;
        plan.truncate(plan.len() - explore);
        // Where everything that it visits is known, only chance leads on.
        let drawn = if plan.is_empty() {
            self.constants.adaptive.first
        } else {
            explore
        };
        let drawn = self.random.ask_unknown(drawn, &self.plan.known)?;
        plan.extend(drawn);
        Ok(plan)
    }

    fn plan(&mut self) -> &mut Plan {
        &mut self.plan
    }
}

impl Strategy for Chameleon {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Chameleon
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        self.ask_planned(n)
    }

    fn tell(&mut self, observations: &[Observation]) -> Result<(), StrategyError> {
        for observation in observations {
            let digits = self.space.digits(observation.index)?;
            self.plan.told(observation.index);
            self.measured.push(digits, observation.outcome);
        }
        self.random.tell(observations)
    }
}
