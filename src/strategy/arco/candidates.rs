//! What may be measured next: all of a small space, or a random sample and where the agents went from there.

use std::collections::HashSet;
use std::sync::Arc;

use rand::RngExt;

use crate::agents::{Explored, Standing, Team, Walks, explore};
use crate::sampling::{Candidate, draw};
use crate::strategy::random::take_valid;
use crate::strategy::{Proposal, StrategyError, Why};
use crate::task::{ConfigIndex, Digits};

use super::{Arco, ArcoConstants, Parts};

/// Trials after which agents see the budget as used up.
const LONG_RUN: f32 = 1024.0;

impl Arco {
    /// Unknown configurations with their confidence: all of a small space; of a large one a random sample, and what the
    /// agents come by from the best of it.
    pub(super) fn candidates(&mut self) -> Result<Vec<Candidate>, StrategyError> {
        // Where everything is looked at, there is nothing for the agents to find.
        let (sampled, walks) = match self.whole()? {
            Some(rest) => (rest, false),
            None => (self.random_sample()?, self.parts.agents),
        };
        let standings = self.beliefs.survey(&sampled)?;
        let explored = if walks {
            self.walk(&sampled, &standings)?
        } else {
            Vec::new()
        };
        let walked = explored.iter().zip(standardised_values(&explored));
        let walked =
            walked.map(|(e, value)| (e.digits.clone(), self.confidence(&e.standing, value)));
        let sampled = sampled.into_iter().zip(standings);
        let sampled = sampled.map(|(digits, standing)| (digits, self.confidence(&standing, 0.0)));
        Ok(self.unknown(walked.chain(sampled)))
    }

    /// Those of these that are not known, each once, with their confidence.
    fn unknown(&self, rated: impl Iterator<Item = (Digits, f64)>) -> Vec<Candidate> {
        let mut seen = HashSet::new();
        rated
            .map(|(digits, confidence)| Candidate {
                index: self.environment.space().index(&digits),
                digits,
                confidence,
            })
            .filter(|c| !self.plan.known.contains(&c.index) && seen.insert(c.index))
            .collect()
    }

    /// Random configurations of a space that is not looked at whole. Agents find what is new by walking: for them only a half is
    /// new, the rest is what was new before. Where a mask refuses nearly all that is drawn, less is new: drawing is what takes the time.
    fn random_sample(&mut self) -> Result<Vec<Digits>, StrategyError> {
        let size = self.sample();
        let kept = std::mem::take(&mut self.sampled);
        let mut sample = if kept.is_empty() {
            self.random_valid(size, usize::MAX)?
        } else {
            self.random_valid(size / 2, self.constants.draws)?
        };
        sample.extend(kept);
        sample.truncate(size);
        if self.parts.agents {
            self.sampled.clone_from(&sample);
        }
        Ok(sample)
    }

    /// Size of the random sample: without agents, that of their walks, too.
    const fn sample(&self) -> usize {
        let ArcoConstants {
            sample,
            rounds,
            team,
            ..
        } = self.constants;
        if self.parts.agents {
            sample
        } else {
            sample + rounds * team.walks * (team.steps + 1)
        }
    }

    /// The first measurements: random ones, and where other tasks suggest something most of them at its word.
    pub(super) fn first_plan(&mut self) -> Result<Vec<Proposal>, StrategyError> {
        let batch = self.constants.batch;
        if !self.beliefs.is_suggested() {
            return self.random.ask_unknown(batch, &self.plan.known);
        }
        let sample = match self.whole()? {
            Some(rest) => rest,
            None => self.random_valid(self.constants.sample, usize::MAX)?,
        };
        let hearsay = self.beliefs.hearsay(&sample);
        let candidates = self.unknown(sample.into_iter().zip(hearsay));
        let temperature = self.constants.confidence.temperature;
        let heard = draw(&candidates, batch - batch / 4, temperature, &mut self.rng);
        let plan = heard.iter().map(|candidate| Proposal {
            index: candidate.index,
            why: Why::Model,
        });
        self.filled_at_random(plan.collect())
    }

    /// All of a small space that is not known.
    fn whole(&mut self) -> Result<Option<Vec<Digits>>, StrategyError> {
        let space = Arc::clone(self.environment.space());
        let length = space.range_length();
        if length > self.constants.whole {
            return Ok(None);
        }
        let all = match &self.all {
            Some(all) => all,
            None => {
                let indices: Vec<ConfigIndex> = (0..length).map(ConfigIndex).collect();
                let valid = space.valid(&indices)?;
                let kept = indices.into_iter().zip(valid).filter(|&(_, valid)| valid);
                let kept = kept
                    .map(|(index, _)| Ok((index, space.digits(index)?)))
                    .collect::<Result<Vec<_>, StrategyError>>()?;
                self.all.insert(kept)
            }
        };
        let open = all
            .iter()
            .filter(|(index, _)| !self.plan.known.contains(index));
        Ok(Some(open.map(|(_, digits)| digits.clone()).collect()))
    }

    /// What is expected of a configuration, in standard deviations of the score: optimistic about what is uncertain,
    /// wary of what probably fails. `value` is the critic's.
    pub(super) fn confidence(&self, standing: &Standing, value: f64) -> f64 {
        let hoped_for = standing.score + self.constants.optimism * standing.uncertainty;
        hoped_for * standing.validity
            + self.constants.invalid * (1.0 - standing.validity)
            + self.constants.critic * value
    }

    /// Rounds of walks. A part of them starts at the best of the sample and of where earlier ones came by.
    fn walk(
        &mut self,
        sampled: &[Digits],
        standings: &[Standing],
    ) -> Result<Vec<Explored>, StrategyError> {
        let used = (self.measured.len() as f32 / LONG_RUN).min(1.0);
        let again = (self.constants.again * self.constants.team.walks as f64) as usize;
        let mut explored: Vec<Explored> = Vec::new();
        let mut best: Vec<(f64, Digits)> = sampled
            .iter()
            .zip(standings)
            .map(|(digits, standing)| (self.confidence(standing, 0.0), digits.clone()))
            .collect();
        for _ in 0..self.constants.rounds {
            let mut starts = self.starts(sampled);
            best.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            best.dedup();
            best.truncate(again);
            for (start, (_, digits)) in starts.iter_mut().rev().zip(&best) {
                start.clone_from(digits);
            }
            let round = self.explore(starts, used)?;
            best.extend(
                round
                    .iter()
                    .map(|e| (self.confidence(&e.standing, 0.0), e.digits.clone())),
            );
            explored.extend(round);
        }
        Ok(explored)
    }

    /// One round of walks of the agents that all tasks share.
    fn explore(&mut self, starts: Walks, used: f32) -> Result<Vec<Explored>, StrategyError> {
        let mut team = self.knowledge.all().team();
        let team = match &mut *team {
            Some(team) => team,
            none => {
                let Parts {
                    independent_critics,
                    learning,
                    ..
                } = self.parts;
                let mut constants = self.constants.team;
                if !learning {
                    constants.epochs = 0;
                }
                none.insert(Team::new(constants, independent_critics, self.seed)?)
            }
        };
        Ok(explore(
            team,
            &self.environment,
            &mut self.beliefs,
            starts,
            used,
        )?)
    }

    /// Half of the walks start at the best that was measured, half anywhere: somewhere in the sample.
    fn starts(&mut self, sampled: &[Digits]) -> Walks {
        let walks = self.constants.team.walks;
        let best = self.measured.best_first().into_iter();
        let mut starts: Walks = best
            .take(self.constants.elite)
            .take(walks / 2)
            .cloned()
            .collect();
        while starts.len() < walks && !sampled.is_empty() {
            let anywhere = self.rng.random_range(0..sampled.len());
            starts.push(sampled[anywhere].clone());
        }
        starts
    }

    /// Up to `n` random configurations that the template's condition allows, known or not, out of so many draws at most.
    fn random_valid(&mut self, n: usize, draws: usize) -> Result<Vec<Digits>, StrategyError> {
        let space = Arc::clone(self.environment.space());
        let rng = &mut self.rng;
        let length = space.range_length();
        let mut indices =
            std::iter::repeat_with(|| ConfigIndex(rng.random_range(0..length))).take(draws);
        let drawn = take_valid(&space, n, Why::Random, || indices.next())?;
        let digits = drawn.iter().map(|proposal| space.digits(proposal.index));
        Ok(digits.collect::<Result<_, _>>()?)
    }
}

/// The critic's values, shifted and scaled to mean 0 and variance 1.
fn standardised_values(explored: &[Explored]) -> Vec<f64> {
    let n = explored.len().max(1) as f64;
    let mean = explored.iter().map(|e| e.value).sum::<f64>() / n;
    let squares = explored.iter().map(|e| (e.value - mean).powi(2));
    let deviation = (squares.sum::<f64>() / n).sqrt().max(1e-9);
    explored
        .iter()
        .map(|e| (e.value - mean) / deviation)
        .collect()
}
