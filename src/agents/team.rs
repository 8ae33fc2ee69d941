//! The three actors with their critic, and how they learn together (MAPPO, Yu et al. 2022, arXiv 2103.01955).

use candle_core::{Device, Result, Tensor};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::seed::Seed;

use super::actor::{Actor, Experience};
use super::constants::TeamConstants;
use super::critic::Critic;
use super::observation::{GLOBAL_WIDTH, LOCAL_WIDTH, SLOTS};
use super::ownership::Role;

/// Three actors that act on what each sees, and the critic that sees everything.
///
/// A team is not tied to a task: what it learned on one it takes to the next.
pub struct Team {
    constants: TeamConstants,
    pub(super) actors: [Actor; 3],
    critics: Critics,
    /// Draws moves and the order of learning.
    pub(super) rng: ChaCha8Rng,
}

/// Who judges.
enum Critics {
    /// One that sees everything.
    Central(Box<Critic>),
    /// One for each agent, which sees what the agent sees: an ablation.
    Independent(Box<[Critic; 3]>),
}

/// What happened in a round of walks, in rows: one for each step of each walk.
#[derive(Debug, Default)]
pub(super) struct Transitions {
    /// `GLOBAL_WIDTH` numbers a row.
    pub global: Vec<f32>,
    /// `LOCAL_WIDTH` numbers a row, for each agent.
    pub local: [Vec<f32>; 3],
    /// `SLOTS` numbers a row, for each agent: positions of moves.
    pub moves: [Vec<u32>; 3],
    /// One a row, for each agent.
    pub log_probability: [Vec<f32>; 3],
    /// One a row, for each agent (the same for all where the critic is central).
    pub advantage: [Vec<f32>; 3],
    /// One a row, for each agent: what the values should have been.
    pub returns: [Vec<f32>; 3],
    /// Slots in use, for each agent.
    pub present: [usize; 3],
}

impl std::fmt::Debug for Team {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Team")
            .field("constants", &self.constants)
            .finish_non_exhaustive()
    }
}

impl Team {
    /// A team that knows nothing yet: its weights come from the stream `agents` of `seed`.
    ///
    /// # Errors
    /// When the networks cannot be made.
    pub fn new(constants: TeamConstants, independent_critics: bool, seed: Seed) -> Result<Self> {
        let mut rng = seed.stream("agents");
        let mut actor = || Actor::new(&constants, &mut rng);
        let actors = [actor()?, actor()?, actor()?];
        let critics = if independent_critics {
            let mut critic = || Critic::new(LOCAL_WIDTH, &constants, &mut rng);
            Critics::Independent(Box::new([critic()?, critic()?, critic()?]))
        } else {
            Critics::Central(Box::new(Critic::new(GLOBAL_WIDTH, &constants, &mut rng)?))
        };
        Ok(Self {
            constants,
            actors,
            critics,
            rng,
        })
    }

    /// The team's constants.
    pub const fn constants(&self) -> &TeamConstants {
        &self.constants
    }

    /// Values of states as each agent's critic sees them. Rows of `global` and `local` belong together.
    pub(super) fn values(&self, global: &[f32], local: &[Vec<f32>; 3]) -> Result<[Vec<f32>; 3]> {
        Ok(match &self.critics {
            Critics::Central(critic) => {
                let values = critic.values(&matrix(global, GLOBAL_WIDTH)?)?;
                [values.clone(), values.clone(), values]
            }
            Critics::Independent(critics) => {
                let mut values: [Vec<f32>; 3] = Default::default();
                for role in Role::ALL.map(Role::position) {
                    values[role] = critics[role].values(&matrix(&local[role], LOCAL_WIDTH)?)?;
                }
                values
            }
        })
    }

    /// Learns from a round of walks.
    pub(super) fn learn(&mut self, transitions: &Transitions) -> Result<()> {
        let rows = transitions
            .log_probability
            .iter()
            .map(Vec::len)
            .max()
            .unwrap_or(0);
        let mut order: Vec<u32> = (0..rows as u32).collect();
        let global = matrix(&transitions.global, GLOBAL_WIDTH)?;
        let agents = Role::ALL
            .map(Role::position)
            .into_iter()
            .filter(|&agent| transitions.present[agent] > 0)
            .map(|agent| Ok((agent, Lessons::of(transitions, agent)?)))
            .collect::<Result<Vec<_>>>()?;
        for _ in 0..self.constants.epochs {
            order.shuffle(&mut self.rng);
            for batch in order.chunks(self.constants.minibatch) {
                let batch = Tensor::from_slice(batch, batch.len(), &Device::Cpu)?;
                for (agent, lessons) in &agents {
                    self.actors[*agent].learn(&lessons.experience(&batch)?, &self.constants)?;
                    if let Critics::Independent(critics) = &mut self.critics {
                        let seen = lessons.seen.index_select(&batch, 0)?;
                        critics[*agent].learn(&seen, &lessons.returns.index_select(&batch, 0)?)?;
                    }
                }
                if let (Critics::Central(critic), Some((_, lessons))) =
                    (&mut self.critics, agents.first())
                {
                    let returns = lessons.returns.index_select(&batch, 0)?;
                    critic.learn(&global.index_select(&batch, 0)?, &returns)?;
                }
            }
        }
        Ok(())
    }
}

/// One agent's transitions as tensors.
struct Lessons {
    seen: Tensor,
    moves: Tensor,
    log_probability: Tensor,
    advantage: Tensor,
    returns: Tensor,
    /// Slots in use.
    present: usize,
}

impl Lessons {
    fn of(transitions: &Transitions, agent: usize) -> Result<Self> {
        let vector = |values: &[f32]| Tensor::from_slice(values, values.len(), &Device::Cpu);
        let moves = &transitions.moves[agent];
        let advantage = standardised(&transitions.advantage[agent]);
        Ok(Self {
            seen: matrix(&transitions.local[agent], LOCAL_WIDTH)?,
            moves: Tensor::from_slice(moves, (moves.len() / SLOTS, SLOTS), &Device::Cpu)?,
            log_probability: vector(&transitions.log_probability[agent])?,
            advantage: vector(&advantage)?,
            returns: vector(&transitions.returns[agent])?,
            present: transitions.present[agent],
        })
    }

    /// The rows of a minibatch.
    fn experience(&self, batch: &Tensor) -> Result<Experience> {
        let rows = batch.dim(0)?;
        let present: Vec<f32> = (0..rows * SLOTS)
            .map(|i| f32::from(i % SLOTS < self.present))
            .collect();
        Ok(Experience {
            seen: self.seen.index_select(batch, 0)?,
            moves: self.moves.index_select(batch, 0)?,
            present: Tensor::from_vec(present, (rows, SLOTS), &Device::Cpu)?,
            log_probability: self.log_probability.index_select(batch, 0)?,
            advantage: self.advantage.index_select(batch, 0)?,
        })
    }
}

/// Rows of a width as `[rows, width]`.
pub(super) fn matrix(values: &[f32], width: usize) -> Result<Tensor> {
    Tensor::from_slice(values, (values.len() / width, width), &Device::Cpu)
}

/// Shifted and scaled to mean 0 and variance 1; only shifted where all are equal.
fn standardised(values: &[f32]) -> Vec<f32> {
    let n = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
    let scale = variance.sqrt().max(1e-6);
    values.iter().map(|v| (v - mean) / scale).collect()
}
