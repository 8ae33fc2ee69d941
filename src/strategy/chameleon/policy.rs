//! The agent: an actor with one head for each knob, a critic, and PPO.

use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::{Rng, RngExt};

/// What an agent does with a knob: down, stay, up.
pub(super) const ACTIONS: usize = 3;

/// Constants of the agent; the defaults are CHAMELEON's.
#[derive(Clone, Copy, Debug)]
pub struct PolicyConstants {
    /// Neurons of each of the two hidden layers, of actor and critic alike; tanh.
    pub hidden: usize,
    /// The heads' values are divided by this before they become probabilities.
    pub temperature: f64,
    /// Adam's step.
    pub learning_rate: f64,
    /// Discount of later rewards (gamma).
    pub discount: f64,
    /// Decay of the advantage estimator (lambda of GAE).
    pub decay: f64,
    /// How far from 1 the ratio of new to old probability counts.
    pub clip: f64,
    /// Weight of the entropy.
    pub entropy: f64,
    /// Updates for each walk.
    pub updates: usize,
    /// Steps in an update, drawn at random.
    pub minibatch: usize,
}

impl Default for PolicyConstants {
    fn default() -> Self {
        Self {
            hidden: 20,
            temperature: 0.1,
            learning_rate: 1e-3,
            discount: 0.9,
            decay: 0.99,
            clip: 0.2,
            entropy: 0.3,
            updates: 3,
            minibatch: 32,
        }
    }
}

/// Steps of walks, ready to learn from. Row `i` of each belongs to step `i`.
pub(super) struct Experience {
    /// States, one number per knob.
    pub states: Vec<f32>,
    /// 0 down, 1 stay, 2 up; one per knob.
    pub actions: Vec<u8>,
    /// Logarithm of the probability with which the step was taken.
    pub log_probabilities: Vec<f32>,
    /// By how much the step did better than the critic expected, standardised.
    pub advantages: Vec<f32>,
    /// What the critic should have expected.
    pub returns: Vec<f32>,
    /// Number of walks.
    pub walks: usize,
}

/// What the agent would do in a batch of states.
pub(super) struct Decision {
    /// One per knob and state.
    pub actions: Vec<u8>,
    /// One per state.
    pub log_probabilities: Vec<f32>,
    /// The critic's value of each state.
    pub values: Vec<f32>,
}

/// Actor and critic. Weights are drawn from our own stream: candle's own draws cannot be seeded on a CPU.
pub(super) struct Policy {
    constants: PolicyConstants,
    knobs: usize,
    actor: Network,
    critic: Network,
    optimiser: AdamW,
}

/// Three layers, tanh between them.
struct Network {
    layers: Vec<(Var, Var)>,
}

impl Network {
    /// Layers of these widths; weights after Glorot and Bengio, 2010 (what suits tanh), biases 0.
    fn new(widths: &[usize], rng: &mut impl Rng) -> Result<Self> {
        let layers = widths
            .windows(2)
            .map(|pair| {
                let (inputs, outputs) = (pair[0], pair[1]);
                let bound = (6.0 / (inputs + outputs) as f32).sqrt();
                let weights: Vec<f32> = (0..inputs * outputs)
                    .map(|_| rng.random_range(-bound..bound))
                    .collect();
                let weights = Tensor::from_vec(weights, (inputs, outputs), &Device::Cpu)?;
                let biases = Tensor::zeros(outputs, DType::F32, &Device::Cpu)?;
                Ok((Var::from_tensor(&weights)?, Var::from_tensor(&biases)?))
            })
            .collect::<Result<_>>()?;
        Ok(Self { layers })
    }

    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let mut output = input.clone();
        for (i, (weights, biases)) in self.layers.iter().enumerate() {
            if i > 0 {
                output = output.tanh()?;
            }
            output = output.matmul(weights)?.broadcast_add(biases)?;
        }
        Ok(output)
    }

    fn variables(&self) -> impl Iterator<Item = Var> {
        self.layers
            .iter()
            .flat_map(|(weights, biases)| [weights.clone(), biases.clone()])
    }
}

impl Policy {
    /// An agent that moves `knobs` knobs.
    pub(super) fn new(
        constants: PolicyConstants,
        knobs: usize,
        rng: &mut impl Rng,
    ) -> Result<Self> {
        let hidden = constants.hidden;
        let actor = Network::new(&[knobs, hidden, hidden, knobs * ACTIONS], rng)?;
        let critic = Network::new(&[knobs, hidden, hidden, 1], rng)?;
        let optimiser = AdamW::new(
            actor.variables().chain(critic.variables()).collect(),
            ParamsAdamW {
                lr: constants.learning_rate,
                weight_decay: 0.0,
                ..ParamsAdamW::default()
            },
        )?;
        Ok(Self {
            constants,
            knobs,
            actor,
            critic,
            optimiser,
        })
    }

    /// Logarithms of the probabilities of every action: states x knobs x actions.
    fn log_probabilities(&self, states: &Tensor) -> Result<Tensor> {
        let rows = states.dim(0)?;
        let heads = (self.actor.forward(states)? / self.constants.temperature)?
            .reshape((rows, self.knobs, ACTIONS))?;
        let heads = heads.broadcast_sub(&heads.max_keepdim(D::Minus1)?.detach())?;
        heads.broadcast_sub(&heads.exp()?.sum_keepdim(D::Minus1)?.log()?)
    }

    /// Draws an action for every knob in each of the `states` (one number per knob and state).
    pub(super) fn act(&self, states: &[f32], rng: &mut impl Rng) -> Result<Decision> {
        let rows = states.len() / self.knobs;
        let states = Tensor::from_slice(states, (rows, self.knobs), &Device::Cpu)?;
        let values = self.critic.forward(&states)?.flatten_all()?.to_vec1()?;
        let table: Vec<f32> = self.log_probabilities(&states)?.flatten_all()?.to_vec1()?;
        let mut actions = Vec::with_capacity(rows * self.knobs);
        let mut log_probabilities = Vec::with_capacity(rows);
        for row in table.chunks(self.knobs * ACTIONS) {
            let mut sum = 0.0;
            for head in row.chunks(ACTIONS) {
                let action = draw(head, rng);
                sum += head[action];
                actions.push(action as u8);
            }
            log_probabilities.push(sum);
        }
        Ok(Decision {
            actions,
            log_probabilities,
            values,
        })
    }

    /// PPO with clipping (Schulman et al., 2017): a few updates for each walk, each of a random minibatch.
    pub(super) fn learn(&mut self, experience: &Experience, rng: &mut impl Rng) -> Result<()> {
        let steps = experience.returns.len();
        if steps == 0 {
            return Ok(());
        }
        for _ in 0..self.constants.updates * experience.walks {
            let rows: Vec<usize> = (0..self.constants.minibatch.min(steps))
                .map(|_| rng.random_range(0..steps))
                .collect();
            let loss = self.loss(experience, &rows)?;
            self.optimiser.backward_step(&loss)?;
        }
        Ok(())
    }

    fn loss(&self, experience: &Experience, rows: &[usize]) -> Result<Tensor> {
        let (n, knobs) = (rows.len(), self.knobs);
        let pick = |values: &[f32]| {
            let picked: Vec<f32> = rows.iter().map(|&row| values[row]).collect();
            Tensor::from_vec(picked, n, &Device::Cpu)
        };
        let states: Vec<f32> = rows
            .iter()
            .flat_map(|&row| &experience.states[row * knobs..(row + 1) * knobs])
            .copied()
            .collect();
        let states = Tensor::from_vec(states, (n, knobs), &Device::Cpu)?;
        let mut taken = vec![0.0f32; n * knobs * ACTIONS];
        for (i, &row) in rows.iter().enumerate() {
            let actions = &experience.actions[row * knobs..(row + 1) * knobs];
            for (k, &action) in actions.iter().enumerate() {
                taken[(i * knobs + k) * ACTIONS + usize::from(action)] = 1.0;
            }
        }
        let taken = Tensor::from_vec(taken, (n, knobs, ACTIONS), &Device::Cpu)?;

        let table = self.log_probabilities(&states)?;
        let per_step = |table: Tensor| table.sum(D::Minus1)?.sum(D::Minus1);
        let now = per_step((&table * taken)?)?;
        let ratio = (now - pick(&experience.log_probabilities)?)?.exp()?;
        let advantages = pick(&experience.advantages)?;
        let clip = self.constants.clip;
        let gain = (&ratio * &advantages)?
            .minimum(&(ratio.clamp(1.0 - clip, 1.0 + clip)? * &advantages)?)?
            .mean_all()?;
        let entropy = per_step((&table * table.exp()?)?)?.neg()?.mean_all()?;
        let values = self.critic.forward(&states)?.flatten_all()?;
        let error = (values - pick(&experience.returns)?)?.sqr()?.mean_all()?;
        (error - gain)? - (entropy * self.constants.entropy)?
    }
}

/// An action by its logarithmic probability.
fn draw(head: &[f32], rng: &mut impl Rng) -> usize {
    let mut rest: f32 = rng.random();
    for (action, log_probability) in head.iter().enumerate() {
        rest -= log_probability.exp();
        if rest < 0.0 {
            return action;
        }
    }
    head.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn the_agent_learns_to_do_what_is_rewarded() {
        let mut rng = Seed(1).stream("test");
        let constants = PolicyConstants::default();
        let mut policy = Policy::new(constants, 2, &mut rng).unwrap();
        let states: Vec<f32> = (0..128).map(|i| (i % 16) as f32 / 16.0).collect();
        let share_of_up = |policy: &Policy| {
            let actions = policy
                .act(&states, &mut Seed(2).stream("test"))
                .unwrap()
                .actions;
            let up = actions.iter().step_by(2).filter(|&&action| action == 2);
            up.count() as f64 / 64.0
        };
        let before = share_of_up(&policy);
        for _ in 0..20 {
            let decision = policy.act(&states, &mut rng).unwrap();
            // The first knob had better go up; the second does not matter.
            let advantages: Vec<f32> = decision
                .actions
                .chunks(2)
                .map(|actions| if actions[0] == 2 { 1.0 } else { -1.0 })
                .collect();
            let experience = Experience {
                states: states.clone(),
                actions: decision.actions,
                log_probabilities: decision.log_probabilities,
                returns: advantages.clone(),
                advantages,
                walks: 4,
            };
            policy.learn(&experience, &mut rng).unwrap();
        }
        let after = share_of_up(&policy);
        assert!(after > before + 0.2 && after > 0.6, "{before} {after}");
    }

    #[test]
    fn the_same_stream_makes_the_same_agent() {
        let act = |seed: u64| {
            let mut rng = Seed(seed).stream("test");
            let policy = Policy::new(PolicyConstants::default(), 3, &mut rng).unwrap();
            policy.act(&[0.5; 30], &mut rng).unwrap().values
        };
        assert_eq!(act(1), act(1));
        assert_ne!(act(1), act(2));
    }
}
