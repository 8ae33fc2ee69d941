//! `arco`: three agents explore, surrogates judge, confidence sampling chooses.

mod beliefs;
mod constants;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::agents::{Environment, Explored, Landscape, Standing, Team, Walks, explore};
use crate::sampling::{Candidate, Chosen, Origin, confident_batch, top_batch};
use crate::seed::Seed;
use crate::task::{ConfigIndex, ConfigSpace, Digits, TaskContext};

use super::random::Random;
use super::{Observation, Outcome, Proposal, Strategy, StrategyError, StrategyKind, Why};
use beliefs::Beliefs;
pub use constants::{ArcoConstants, Parts};

/// The method of the house (ARCO, arXiv 2407.08192), or what an ablation leaves of it.
pub struct Arco {
    kind: StrategyKind,
    parts: Parts,
    constants: ArcoConstants,
    environment: Environment,
    beliefs: Beliefs,
    team: Team,
    random: Random,
    rng: ChaCha8Rng,
    known: HashSet<ConfigIndex>,
    measured: Vec<(Digits, Option<f64>)>,
    plan: VecDeque<Proposal>,
}

impl Arco {
    /// Search over `space`. Draws come from the streams `agents`, `arco` and `random` of `seed`.
    ///
    /// # Errors
    /// When the agents' networks cannot be made.
    pub fn new(
        kind: StrategyKind,
        parts: Parts,
        space: Arc<ConfigSpace>,
        context: &TaskContext,
        seed: Seed,
        constants: ArcoConstants,
    ) -> Result<Self, StrategyError> {
        Ok(Self {
            kind,
            parts,
            constants,
            environment: Environment::new(Arc::clone(&space), context, parts.ownership),
            beliefs: Beliefs::new(Arc::clone(&space), constants.ensemble, constants.smooth),
            team: Team::new(constants.team, parts.independent_critics, seed)?,
            random: Random::new(space, seed),
            rng: seed.stream("arco"),
            known: HashSet::new(),
            measured: Vec::new(),
            plan: VecDeque::new(),
        })
    }

    fn make_plan(&mut self) -> Result<Vec<Proposal>, StrategyError> {
        let succeeded = self
            .measured
            .iter()
            .filter(|(_, cost)| cost.is_some())
            .count();
        if self.measured.len() < self.constants.initial || succeeded < 2 {
            return self.random_unknown(self.constants.batch, &HashSet::new());
        }
        self.beliefs
            .fit(&self.measured, self.parts.validity_model)
            .map_err(|reason| StrategyError::Model {
                rows: self.measured.len(),
                reason,
            })?;
        let explored = self.candidates()?;
        let candidates = self.rate(&explored);
        let greedy = self.constants.batch - self.constants.explore;
        let chosen = self.choose(&candidates, greedy)?;
        let mut plan: Vec<Proposal> = chosen.iter().map(proposal).collect();
        let planned: HashSet<ConfigIndex> = plan.iter().map(|p| p.index).collect();
        plan.extend(self.random_unknown(self.constants.batch - plan.len(), &planned)?);
        Ok(plan)
    }

    /// Where the agents have been, or as many random configurations where there are none.
    fn candidates(&mut self) -> Result<Vec<Explored>, StrategyError> {
        let starts = self.starts()?;
        if self.parts.agents {
            let used = self.measured.len() as f32 / 1024.0;
            return Ok(explore(
                &mut self.team,
                &self.environment,
                &mut self.beliefs,
                starts,
                used.min(1.0),
            )?);
        }
        let n = self.constants.team.walks * (self.constants.team.steps + 1);
        let digits = self.random_valid(n)?;
        let standings = self.beliefs.look(&digits);
        let space = self.environment.space();
        Ok(digits
            .into_iter()
            .zip(standings)
            .map(|(digits, standing)| Explored {
                index: space.index(&digits),
                digits,
                standing,
                value: 0.0,
            })
            .collect())
    }

    /// Half of the walks start at the best that was measured, half anywhere.
    fn starts(&mut self) -> Result<Walks, StrategyError> {
        let mut best: Vec<(f64, &Digits)> = self
            .measured
            .iter()
            .filter_map(|(digits, cost)| Some(((*cost)?, digits)))
            .collect();
        best.sort_by(|a, b| a.0.total_cmp(&b.0));
        let walks = self.constants.team.walks;
        let elite: Walks = best
            .iter()
            .take(self.constants.elite)
            .cycle()
            .take(walks / 2)
            .map(|(_, digits)| (*digits).clone())
            .collect();
        let mut starts = elite;
        starts.extend(self.random_valid(walks - starts.len())?);
        Ok(starts)
    }

    /// Up to `n` random configurations that the template's condition allows, known or not.
    fn random_valid(&mut self, n: usize) -> Result<Vec<Digits>, StrategyError> {
        let space = Arc::clone(self.environment.space());
        let rng = &mut self.rng;
        let length = space.range_length();
        let drawn = super::random::take_valid(&space, n, Why::Random, || {
            Some(ConfigIndex(rng.random_range(0..length)))
        })?;
        Ok(drawn
            .iter()
            .map(|proposal| space.digits(proposal.index))
            .collect::<Result<_, _>>()?)
    }

    /// Unknown candidates with their confidence.
    fn rate(&self, explored: &[Explored]) -> Vec<Candidate> {
        let values: Vec<f64> = explored.iter().map(|e| e.value).collect();
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n)
            .sqrt()
            .max(1e-9);
        let mut seen = HashSet::new();
        explored
            .iter()
            .filter(|e| !self.known.contains(&e.index) && seen.insert(e.index))
            .map(|e| Candidate {
                index: e.index,
                digits: e.digits.clone(),
                confidence: self.confidence(&e.standing, (e.value - mean) / deviation),
            })
            .collect()
    }

    fn confidence(&self, standing: &Standing, value: f64) -> f64 {
        let expected = standing.score + self.constants.optimism * standing.uncertainty;
        // What fails is worth what is far below average.
        let invalid = 1.0 - standing.validity;
        expected * standing.validity - 3.0 * invalid + self.constants.critic * value
    }

    fn choose(&mut self, candidates: &[Candidate], n: usize) -> Result<Vec<Chosen>, StrategyError> {
        if !self.parts.confidence_sampling {
            return Ok(top_batch(candidates, n));
        }
        let Self {
            beliefs,
            constants,
            environment,
            known,
            rng,
            ..
        } = self;
        let (optimism, critic) = (constants.optimism, constants.critic);
        let _ = critic;
        Ok(confident_batch(
            candidates,
            n,
            environment.space(),
            known,
            |digits| {
                beliefs
                    .look(digits)
                    .iter()
                    .map(|s| (s.validity >= 0.5).then(|| s.score + optimism * s.uncertainty))
                    .collect()
            },
            &constants.confidence,
            rng,
        )?)
    }

    /// Up to `n` random configurations that are neither known nor `planned`; each is drawn once in a search.
    fn random_unknown(
        &mut self,
        n: usize,
        planned: &HashSet<ConfigIndex>,
    ) -> Result<Vec<Proposal>, StrategyError> {
        let mut plan = Vec::new();
        while plan.len() < n {
            let drawn = self.random.ask(n - plan.len())?;
            if drawn.is_empty() {
                break;
            }
            let new = |p: &Proposal| !self.known.contains(&p.index) && !planned.contains(&p.index);
            plan.extend(drawn.into_iter().filter(new));
        }
        Ok(plan)
    }
}

fn proposal(chosen: &Chosen) -> Proposal {
    Proposal {
        index: chosen.candidate.index,
        why: match chosen.origin {
            Origin::Drawn => Why::Agents,
            Origin::Synthesised => Why::Synthesised,
        },
    }
}

impl Strategy for Arco {
    fn kind(&self) -> StrategyKind {
        self.kind
    }

    fn batch(&self) -> usize {
        self.constants.batch
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        let mut asked = Vec::with_capacity(n);
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
            self.known.insert(observation.index);
            let digits = self.environment.space().digits(observation.index)?;
            let cost = match observation.outcome {
                Outcome::Cost(cost) if cost.is_finite() && cost > 0.0 => Some(cost),
                _ => None,
            };
            self.measured.push((digits, cost));
        }
        self.random.tell(observations)
    }
}
