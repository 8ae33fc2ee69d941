//! A round of walks: agents move, the surrogates say where they stand, and the team learns from it.

use std::collections::HashSet;

use crate::task::{ConfigIndex, Digits, SpaceError};

use super::axis::Move;
use super::environment::{Environment, Walks};
use super::gae::advantages;
use super::observation::{LOCAL_WIDTH, SLOTS};
use super::ownership::Role;
use super::team::{Team, Transitions, matrix};

/// What the surrogates believe of a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// Predicted log throughput, in standard deviations of what was measured.
    pub score: f64,
    /// How far the surrogates disagree about it, in the same unit.
    pub uncertainty: f64,
    /// Probability that it builds and runs.
    pub validity: f64,
}

/// Who can say where configurations stand.
pub trait Landscape {
    /// The standing of each.
    ///
    /// # Errors
    /// When the surrogates cannot be computed.
    fn look(&mut self, configs: &[Digits]) -> candle_core::Result<Vec<Standing>>;
}

/// A configuration that a walk came by.
#[derive(Clone, Debug)]
pub struct Explored {
    /// Which.
    pub index: ConfigIndex,
    /// Its digits.
    pub digits: Digits,
    /// What the surrogates say.
    pub standing: Standing,
    /// What the critic says: the discounted sum of scores that walks from here are expected to see.
    pub value: f64,
}

/// Why walks broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExplorationError {
    /// The networks cannot be computed.
    #[error("the agents' networks cannot be computed: {0}")]
    Networks(#[from] candle_core::Error),
    /// The space's condition.
    #[error(transparent)]
    Space(#[from] SpaceError),
}

/// Walks from `starts`, one for each, and learns from them. Returns every configuration they came by, each once, in
/// the order they were met.
///
/// The reward of a step is the score where it leads and its uncertainty, less the penalties for what is probably invalid and
/// for where this round has been before: so the critic's value of a state says how good its neighbourhood is, which
/// confidence sampling wants to know. (A reward of the improvement alone has the same best moves, and a critic that is high
/// where things are bad.)
///
/// # Errors
/// When the networks cannot be computed or the space's condition cannot be asked.
pub fn explore(
    team: &mut Team,
    environment: &Environment,
    landscape: &mut impl Landscape,
    starts: Walks,
    budget_used: f32,
) -> Result<Vec<Explored>, ExplorationError> {
    let constants = *team.constants();
    let walks = starts.len();
    let mut here = starts;
    let mut standing = landscape.look(&here)?;
    let mut transitions = Transitions {
        present: Role::ALL.map(|role| environment.axes_of(role).len().min(SLOTS)),
        ..Transitions::default()
    };
    let mut rewards = vec![Vec::with_capacity(constants.steps); walks];
    let mut values: [Vec<Vec<f32>>; 3] = std::array::from_fn(|_| vec![Vec::new(); walks]);
    let mut seen = HashSet::new();
    let mut explored = Vec::new();
    for step in 0..=constants.steps {
        let mut global = Vec::new();
        let mut local: [Vec<f32>; 3] = Default::default();
        for (digits, standing) in here.iter().zip(&standing) {
            environment.observe_global(digits, step, budget_used, standing, &mut global);
            for role in Role::ALL {
                environment.observe_local(
                    role,
                    digits,
                    step,
                    budget_used,
                    &mut local[role.position()],
                );
            }
        }
        let now = team.values(&global, &local)?;
        for agent in 0..Role::ALL.len() {
            for walk in 0..walks {
                values[agent][walk].push(now[agent][walk]);
            }
        }
        for (walk, digits) in here.iter().enumerate() {
            let index = environment.space().index(digits);
            if seen.insert(index) {
                explored.push(Explored {
                    index,
                    digits: digits.clone(),
                    standing: standing[walk],
                    value: f64::from(now.iter().map(|v| v[walk]).sum::<f32>()) / now.len() as f64,
                });
            }
        }
        if step == constants.steps {
            break;
        }
        let mut moves: Vec<Vec<(usize, Move)>> = vec![Vec::new(); walks];
        for role in Role::ALL {
            let agent = role.position();
            if transitions.present[agent] == 0 {
                continue;
            }
            let seen = matrix(&local[agent], LOCAL_WIDTH)?;
            let decided =
                team.actors[agent].decide(&seen, transitions.present[agent], &mut team.rng)?;
            for (walk, chosen) in decided.moves.iter().enumerate() {
                let window = environment.window(role, step);
                moves[walk].extend(window.zip(chosen.iter().copied()));
                transitions.moves[agent].extend(chosen.iter().map(|&m| m as u32));
            }
            transitions.log_probability[agent].extend(decided.log_probability);
            transitions.local[agent].append(&mut local[agent]);
        }
        transitions.global.append(&mut global);
        here = environment.step(&here, &moves)?;
        standing = landscape.look(&here)?;
        for (walk, standing) in standing.iter().enumerate() {
            let invalid = constants.invalid_penalty * (1.0 - standing.validity);
            let drawn_to = standing.score + constants.curiosity * standing.uncertainty;
            let stale = if seen.contains(&environment.space().index(&here[walk])) {
                constants.stale_penalty
            } else {
                0.0
            };
            rewards[walk].push((drawn_to - invalid - stale) as f32);
        }
    }
    fill_advantages(
        &mut transitions,
        &rewards,
        &values,
        constants.gamma,
        constants.lambda,
    );
    team.learn(&transitions)?;
    Ok(explored)
}

/// Rows go step by step, walk by walk; advantages are computed along walks.
fn fill_advantages(
    transitions: &mut Transitions,
    rewards: &[Vec<f32>],
    values: &[Vec<Vec<f32>>; 3],
    gamma: f32,
    lambda: f32,
) {
    for (agent, values) in values.iter().enumerate() {
        let along: Vec<Vec<f32>> = rewards
            .iter()
            .zip(values)
            .map(|(rewards, values)| advantages(rewards, values, gamma, lambda))
            .collect();
        for step in 0..rewards.first().map_or(0, Vec::len) {
            for (advantages, values) in along.iter().zip(values) {
                transitions.advantage[agent].push(advantages[step]);
                transitions.returns[agent].push(advantages[step] + values[step]);
            }
        }
    }
}
