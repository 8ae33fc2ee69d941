//! One agent's policy.

use candle_core::{D, Result, Tensor};
use candle_nn::ops::{log_softmax, softmax};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::{Rng, RngExt};

use super::axis::Move;
use super::constants::TeamConstants;
use super::network::Mlp;
use super::observation::{LOCAL_WIDTH, SLOTS};

/// Outputs for each slot: one for each [`Move`].
const MOVES: usize = Move::ALL.len();

/// Transitions as one agent saw them.
#[derive(Debug)]
pub(super) struct Experience {
    /// `[rows, LOCAL_WIDTH]`.
    pub seen: Tensor,
    /// Move of each slot, by position in [`Move::ALL`]: `[rows, SLOTS]`, u32.
    pub moves: Tensor,
    /// 1 where a slot was there and 0 where not: `[rows, SLOTS]`.
    pub present: Tensor,
    /// Logarithm of the joint probability when the moves were drawn: `[rows]`.
    pub log_probability: Tensor,
    /// `[rows]`, standardised.
    pub advantage: Tensor,
}

/// A network from what one agent sees to the probabilities of its moves.
pub(super) struct Actor {
    network: Mlp,
    optimiser: AdamW,
}

/// What an actor decided for each walk.
pub(super) struct Decisions {
    /// `moves[walk][slot]`.
    pub moves: Vec<[Move; SLOTS]>,
    /// Logarithm of the joint probability of the moves of slots that are present.
    pub log_probability: Vec<f32>,
}

impl Actor {
    pub fn new(constants: &TeamConstants, rng: &mut impl Rng) -> Result<Self> {
        let widths = [
            LOCAL_WIDTH,
            constants.hidden,
            constants.hidden,
            SLOTS * MOVES,
        ];
        let network = Mlp::new(&widths, 0.01, rng)?;
        // A step that moves every knob lands anywhere; one that moves a few looks around.
        let biases: Vec<f32> = (0..SLOTS * MOVES)
            .map(|output| {
                if Move::ALL[output % MOVES] == Move::Stay {
                    constants.stay_bias
                } else {
                    0.0
                }
            })
            .collect();
        network.set_output_biases(&biases)?;
        let optimiser = AdamW::new(network.vars(), adam(constants))?;
        Ok(Self { network, optimiser })
    }

    /// Draws moves for each walk: `seen` is `[walks, LOCAL_WIDTH]`, and the first `present` slots count.
    pub fn decide(&self, seen: &Tensor, present: usize, rng: &mut impl Rng) -> Result<Decisions> {
        let rows = seen.dim(0)?;
        let logits = self.network.infer(seen)?.reshape((rows, SLOTS, MOVES))?;
        let probabilities: Vec<f32> = softmax(&logits, D::Minus1)?.flatten_all()?.to_vec1()?;
        let mut decisions = Decisions {
            moves: vec![[Move::Stay; SLOTS]; rows],
            log_probability: vec![0.0; rows],
        };
        for row in 0..rows {
            for slot in 0..present {
                let at = (row * SLOTS + slot) * MOVES;
                let choices = &probabilities[at..at + MOVES];
                let chosen = draw(choices, rng);
                decisions.moves[row][slot] = Move::ALL[chosen];
                decisions.log_probability[row] += choices[chosen].max(f32::MIN_POSITIVE).ln();
            }
        }
        Ok(decisions)
    }

    /// One step of PPO's clipped objective with an entropy bonus (Schulman et al. 2017, equations 7 and 9).
    pub fn learn(&mut self, experience: &Experience, constants: &TeamConstants) -> Result<()> {
        let rows = experience.seen.dim(0)?;
        let logits = self
            .network
            .forward(&experience.seen)?
            .reshape((rows, SLOTS, MOVES))?;
        let log_probabilities = log_softmax(&logits, D::Minus1)?;
        let of_moves = log_probabilities
            .gather(&experience.moves.unsqueeze(2)?, 2)?
            .squeeze(2)?;
        let joint = (of_moves * &experience.present)?.sum(1)?;
        let ratio = (joint - &experience.log_probability)?.exp()?;
        let (low, high) = (1.0 - constants.clip, 1.0 + constants.clip);
        let free = (&ratio * &experience.advantage)?;
        let clipped = (ratio.clamp(low, high)? * &experience.advantage)?;
        let objective = free.minimum(&clipped)?.mean_all()?;
        let entropy = (log_probabilities.exp()? * &log_probabilities)?
            .sum(2)?
            .neg()?;
        let entropy = (entropy * &experience.present)?.sum(1)?.mean_all()?;
        let loss = (objective + (entropy * constants.entropy)?)?.neg()?;
        self.optimiser.backward_step(&loss)
    }
}

/// Adam (Kingma and Ba 2015) without weight decay.
pub(super) fn adam(constants: &TeamConstants) -> ParamsAdamW {
    ParamsAdamW {
        lr: constants.learning_rate,
        weight_decay: 0.0,
        ..ParamsAdamW::default()
    }
}

/// A position, drawn with these probabilities.
fn draw(probabilities: &[f32], rng: &mut impl Rng) -> usize {
    let mut left = rng.random::<f32>();
    for (i, &p) in probabilities.iter().enumerate() {
        left -= p;
        if left < 0.0 {
            return i;
        }
    }
    probabilities.len() - 1
}
