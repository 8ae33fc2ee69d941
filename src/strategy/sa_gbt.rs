//! `sa-gbt`: AutoTVM's `XGBTuner` with knob features (TVM 0.19), on boosted trees of another library.
//!
//! After every 64 measurements a cost model is fitted to all of them, simulated annealing looks for the 64
//! configurations that it likes best, and these are measured in order, except that the last 5 % are random.

use std::collections::HashSet;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::seed::Seed;
use crate::surrogate::{CostModel, KnobFeatures, RecallStoppedConstants, RecallStoppedTrees};
use crate::task::{ConfigIndex, ConfigSpace};

use super::annealing::{Annealing, AnnealingConstants};
use super::measured::Measured;
use super::random::Random;
use super::{Observation, Proposal, Strategy, StrategyError, StrategyKind, Why};

/// Constants of [`SaGbt`]; the defaults are AutoTVM's.
#[derive(Clone, Copy, Debug)]
pub struct SaGbtConstants {
    /// Measurements between two fits, and configurations that the model picks after each (`plan_size`).
    pub plan: usize,
    /// Share of a plan that is drawn at random instead.
    pub explore: f64,
    /// The search in the model.
    pub annealing: AnnealingConstants,
    /// The model.
    pub trees: RecallStoppedConstants,
}

impl Default for SaGbtConstants {
    fn default() -> Self {
        Self {
            plan: 64,
            explore: 0.05,
            annealing: AnnealingConstants::default(),
            trees: RecallStoppedConstants::default(),
        }
    }
}

/// Simulated annealing over boosted trees.
pub struct SaGbt {
    space: Arc<ConfigSpace>,
    constants: SaGbtConstants,
    features: KnobFeatures,
    model: RecallStoppedTrees,
    rng: ChaCha8Rng,
    random: Random,
    /// Where the walks of the first annealing start.
    starts: Random,
    annealing: Option<Annealing>,
    /// Asked or told.
    known: HashSet<ConfigIndex>,
    measured: Measured,
    /// Number of measurements at which the model is fitted next.
    next_fit: usize,
    plan: Vec<ConfigIndex>,
    /// How far the plan is done.
    next: usize,
}

impl SaGbt {
    /// Search over `space`; draws come from the streams `sa-gbt` and `random` of `seed`.
    pub fn new(space: Arc<ConfigSpace>, seed: Seed, constants: SaGbtConstants) -> Self {
        Self {
            constants,
            features: KnobFeatures::new(&space),
            model: RecallStoppedTrees::new(constants.trees),
            rng: seed.stream("sa-gbt"),
            random: Random::new(Arc::clone(&space), seed),
            starts: Random::new(Arc::clone(&space), seed.child("annealing")),
            annealing: None,
            known: HashSet::new(),
            measured: Measured::default(),
            next_fit: constants.plan,
            plan: Vec::new(),
            next: 0,
            space,
        }
    }

    fn make_plan(&mut self) -> Result<(), StrategyError> {
        let Some(best) = self.measured.best_cost() else {
            return Ok(());
        };
        self.next_fit =
            self.measured.len() / self.constants.plan * self.constants.plan + self.constants.plan;
        self.measured.teach(&mut self.model, &self.features, best)?;
        let annealing = match &mut self.annealing {
            Some(annealing) => annealing,
            none => {
                let starts = self.starts.ask(self.constants.annealing.walks)?;
                let points = starts
                    .iter()
                    .map(|start| self.space.digits(start.index))
                    .collect::<Result<_, _>>()?;
                none.insert(Annealing::new(self.constants.annealing, points))
            }
        };
        self.plan = annealing.find_maxima(
            &self.space,
            &self.known,
            self.constants.plan,
            &mut self.rng,
            |digits| self.model.predict(&self.features.table(digits)),
        )?;
        self.next = 0;
        Ok(())
    }

    /// The next of the plan, or nothing when it is down to its random share.
    fn next_of_plan(&mut self) -> Option<ConfigIndex> {
        while let Some(index) = self.plan.get(self.next)
            && self.known.contains(index)
        {
            self.next += 1;
        }
        let explore = (self.constants.explore * self.constants.plan as f64) as usize;
        (self.next + explore < self.plan.len()).then(|| self.plan[self.next])
    }
}

impl Strategy for SaGbt {
    fn kind(&self) -> StrategyKind {
        StrategyKind::SaGbt
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        if self.measured.len() >= self.next_fit {
            self.make_plan()?;
        }
        let mut asked = Vec::new();
        while asked.len() < n
            && let Some(index) = self.next_of_plan()
        {
            self.known.insert(index);
            let why = Why::Model;
            asked.push(Proposal { index, why });
        }
        let drawn = self.random.ask_unknown(n - asked.len(), &self.known)?;
        self.known
            .extend(drawn.iter().map(|proposal| proposal.index));
        asked.extend(drawn);
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation]) -> Result<(), StrategyError> {
        for observation in observations {
            let digits = self.space.digits(observation.index)?;
            self.known.insert(observation.index);
            self.measured.push(digits, observation.outcome);
        }
        self.random.tell(observations)
    }
}
