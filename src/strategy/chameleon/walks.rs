//! Walks of the agent through the space, all of a round at once.

use std::collections::BTreeMap;

use rand::Rng;

use crate::agents::advantages;
use crate::task::{ConfigIndex, ConfigSpace, Digits, KnobId};

use super::policy::{Experience, Policy, PolicyConstants};

/// Constants of the walks; the defaults are CHAMELEON's.
#[derive(Clone, Copy, Debug)]
pub struct WalkConstants {
    /// Walks of a round.
    pub walks: usize,
    /// Most steps of a walk.
    pub steps: usize,
    /// A walk ends when at least this share of the knobs stays where it is or has come to its first or last value.
    pub settled: f64,
}

impl Default for WalkConstants {
    fn default() -> Self {
        Self {
            walks: 128,
            steps: 500,
            settled: 0.75,
        }
    }
}

/// One step: what was seen, done, and what came of it.
struct Step {
    state: Vec<f32>,
    actions: Vec<u8>,
    log_probability: f32,
    value: f32,
    reward: f32,
}

/// A round of walks.
pub(super) struct Walks {
    /// Each walk's steps.
    steps: Vec<Vec<Step>>,
    /// The critic's value of where a walk stood when it was cut off; 0 where it had ended of itself.
    last_values: Vec<f32>,
    /// Everything that was visited, with its score.
    pub visited: BTreeMap<ConfigIndex, f64>,
}

impl Walks {
    /// Walks from each of `starts`; `score` is the reward of a visited configuration.
    pub(super) fn walk(
        space: &ConfigSpace,
        constants: WalkConstants,
        starts: Vec<Digits>,
        policy: &Policy,
        rng: &mut impl Rng,
        score: impl Fn(&[Digits]) -> Vec<f64>,
    ) -> candle_core::Result<Self> {
        let free: Vec<KnobId> = space.free_knobs().collect();
        let mut walks = Self {
            steps: starts.iter().map(|_| Vec::new()).collect(),
            last_values: vec![0.0; starts.len()],
            visited: BTreeMap::new(),
        };
        // Positions and the walks that they belong to.
        let mut open: Vec<(usize, Digits)> = starts.into_iter().enumerate().collect();
        for _ in 0..constants.steps {
            if open.is_empty() {
                break;
            }
            let states = states(space, &free, &open);
            let decision = policy.act(&states, rng)?;
            let mut settled = Vec::with_capacity(open.len());
            for ((_, digits), actions) in open.iter_mut().zip(decision.actions.chunks(free.len())) {
                settled.push(step(space, &free, digits, actions) >= constants.settled);
            }
            let positions: Vec<Digits> = open.iter().map(|(_, digits)| digits.clone()).collect();
            let scores = score(&positions);
            for (i, (walk, digits)) in open.iter().enumerate() {
                walks.visited.insert(space.index(digits), scores[i]);
                let row = i * free.len()..(i + 1) * free.len();
                walks.steps[*walk].push(Step {
                    state: states[row.clone()].to_vec(),
                    actions: decision.actions[row].to_vec(),
                    log_probability: decision.log_probabilities[i],
                    value: decision.values[i],
                    reward: scores[i] as f32,
                });
            }
            let mut settled = settled.into_iter();
            open.retain(|_| settled.next() == Some(false));
        }
        if !open.is_empty() {
            let values = policy.act(&states(space, &free, &open), rng)?.values;
            for ((walk, _), value) in open.iter().zip(values) {
                walks.last_values[*walk] = value;
            }
        }
        Ok(walks)
    }

    /// What can be learnt from the walks: generalised advantage estimates (Schulman et al., 2016), standardised.
    pub(super) fn experience(&self, constants: PolicyConstants) -> Experience {
        let mut experience = Experience {
            states: Vec::new(),
            actions: Vec::new(),
            log_probabilities: Vec::new(),
            advantages: Vec::new(),
            returns: Vec::new(),
            walks: self.steps.len(),
        };
        let (discount, decay) = (constants.discount as f32, constants.decay as f32);
        for (steps, &last) in self.steps.iter().zip(&self.last_values) {
            let rewards: Vec<f32> = steps.iter().map(|step| step.reward).collect();
            let values = steps.iter().map(|step| step.value).chain([last]);
            let values: Vec<f32> = values.collect();
            let advantages = advantages(&rewards, &values, discount, decay);
            for (step, advantage) in steps.iter().zip(advantages) {
                experience.states.extend(&step.state);
                experience.actions.extend(&step.actions);
                experience.log_probabilities.push(step.log_probability);
                experience.returns.push(advantage + step.value);
                experience.advantages.push(advantage);
            }
        }
        standardise(&mut experience.advantages);
        experience
    }
}

/// Position of each free knob's value in its list, as a share of its length.
fn states(space: &ConfigSpace, free: &[KnobId], open: &[(usize, Digits)]) -> Vec<f32> {
    open.iter()
        .flat_map(|(_, digits)| {
            free.iter()
                .map(|knob| digits[knob.0] as f32 / space.knobs()[knob.0].len() as f32)
        })
        .collect()
}

/// Moves every free knob, and returns the share of them that has settled.
fn step(space: &ConfigSpace, free: &[KnobId], digits: &mut Digits, actions: &[u8]) -> f64 {
    let mut settled = 0;
    for (knob, &action) in free.iter().zip(actions) {
        let last = space.knobs()[knob.0].len() as u32 - 1;
        let digit = &mut digits[knob.0];
        *digit = (*digit + u32::from(action)).saturating_sub(1).min(last);
        settled += usize::from(action == 1 || *digit == 0 || *digit == last);
    }
    settled as f64 / free.len() as f64
}

fn standardise(values: &mut [f32]) {
    let n = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
    for value in values {
        *value = (*value - mean) / (variance.sqrt() + 1e-8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advantages_look_ahead_along_the_walk() {
        let step = |reward| Step {
            state: vec![0.0],
            actions: vec![1],
            log_probability: 0.0,
            value: 0.0,
            reward,
        };
        let walks = Walks {
            steps: vec![vec![step(0.0), step(1.0)], vec![step(0.0)]],
            last_values: vec![0.0, 2.0],
            visited: BTreeMap::new(),
        };
        let returns = walks.experience(PolicyConstants::default()).returns;
        // 0.9 * 0.99 * 1, 1, and the discounted value of where the second walk was cut off.
        let expected = [0.891, 1.0, 1.8];
        for (value, expected) in returns.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{returns:?}");
        }
    }

    #[test]
    fn knobs_stop_at_their_first_and_last_value() {
        let values = |n: i64| {
            (0..n)
                .map(|v| crate::task::Entity::Split(vec![-1, v]))
                .collect()
        };
        let knobs = [3, 1, 4]
            .map(|n| crate::task::Knob::new("k", crate::task::KnobKind::Split, values(n)).unwrap());
        let space = ConfigSpace::new(knobs.to_vec()).unwrap();
        let free: Vec<KnobId> = space.free_knobs().collect();
        let mut digits = vec![0, 0, 2];
        assert_eq!(step(&space, &free, &mut digits, &[0, 2]), 1.0);
        assert_eq!(digits, [0, 0, 3]);
        assert_eq!(step(&space, &free, &mut digits, &[2, 0]), 0.0);
        assert_eq!(digits, [1, 0, 2]);
    }
}
