//! `chameleon`: CHAMELEON (Ahn et al., ICLR 2020, arXiv 2001.08743), re-implemented: its public code does not run.
//!
//! One agent walks through the space, one step down, none or one up in every knob at a time, and learns by PPO to go
//! where the cost model's scores are high. Of what it visits, adaptive sampling measures only a few: k-means over the
//! two largest knobs, as many clusters as reach the knee of its loss, one configuration for each.

mod adaptive;
mod policy;
mod walks;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::seed::Seed;
use crate::surrogate::{CostModel, KnobFeatures, RecallStoppedConstants, RecallStoppedTrees};
use crate::task::{ConfigIndex, ConfigSpace, Digits};

use super::random::Random;
use super::{Observation, Outcome, Proposal, Strategy, StrategyError, StrategyKind, Why};
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
    /// Asked or told.
    known: HashSet<ConfigIndex>,
    measured: Vec<(Digits, Outcome)>,
    plan: VecDeque<Proposal>,
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
            known: HashSet::new(),
            measured: Vec::new(),
            plan: VecDeque::new(),
            space,
        }
    }

    fn make_plan(&mut self) -> Result<Vec<Proposal>, StrategyError> {
        let costs = self.measured.iter();
        let costs = costs.filter_map(|(_, outcome)| outcome.comparable_cost());
        let best = costs.min_by(f64::total_cmp);
        let missing = self.constants.first.saturating_sub(self.measured.len());
        let movable = self.space.free_knobs().next().is_some();
        let (0, Some(best), true) = (missing, best, movable) else {
            return self.random.ask_unknown(missing.max(1), &self.known);
        };
        self.fit(best)?;
        let visited = self.explore()?;
        let sampled = representatives(
            &self.space,
            self.constants.adaptive,
            &visited,
            &self.known,
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
        let drawn = self.random.ask_unknown(drawn, &self.known)?;
        plan.extend(drawn);
        Ok(plan)
    }

    /// Teaches the cost model throughput relative to the best, and 0 for a failure.
    fn fit(&mut self, best: f64) -> Result<(), StrategyError> {
        let digits: Vec<&Digits> = self.measured.iter().map(|(digits, _)| digits).collect();
        let targets: Vec<f64> = self
            .measured
            .iter()
            .map(|(_, outcome)| outcome.comparable_cost().map_or(0.0, |cost| best / cost))
            .collect();
        self.model
            .fit(&self.features.table(&digits), &targets)
            .map_err(|reason| StrategyError::Model {
                rows: targets.len(),
                reason,
            })
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

impl Strategy for Chameleon {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Chameleon
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        let mut asked = Vec::new();
        while asked.len() < n {
            if self.plan.is_empty() {
                self.plan = self.make_plan()?.into();
            }
            let Some(proposal) = self.plan.pop_front() else {
                break;
            };
            // It may have been told of since it was planned.
            if self.known.insert(proposal.index) {
                asked.push(proposal);
            }
        }
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation]) -> Result<(), StrategyError> {
        for observation in observations {
            let digits = self.space.digits(observation.index)?;
            self.known.insert(observation.index);
            self.measured.push((digits, observation.outcome));
        }
        self.random.tell(observations)
    }
}
