//! The central critic: what a state is worth, seen from above.

use candle_core::{Result, Tensor};
use candle_nn::{AdamW, Optimizer};
use rand::Rng;

use super::actor::adam;
use super::constants::TeamConstants;
use super::network::Mlp;

/// A network from an observation to the expected discounted reward.
pub(super) struct Critic {
    network: Mlp,
    optimiser: AdamW,
}

impl Critic {
    /// A critic of observations that are `width` wide.
    pub fn new(width: usize, constants: &TeamConstants, rng: &mut impl Rng) -> Result<Self> {
        let network = Mlp::new(&[width, constants.hidden, constants.hidden, 1], 1.0, rng)?;
        let optimiser = AdamW::new(network.vars(), adam(constants))?;
        Ok(Self { network, optimiser })
    }

    /// The value of each row of `[rows, width]`.
    pub fn values(&self, seen: &Tensor) -> Result<Vec<f32>> {
        self.network.infer(seen)?.flatten_all()?.to_vec1()
    }

    /// One step towards `returns` (`[rows]`), by squared error.
    pub fn learn(&mut self, seen: &Tensor, returns: &Tensor) -> Result<()> {
        let values = self.network.forward(seen)?.squeeze(1)?;
        let loss = (values - returns)?.sqr()?.mean_all()?;
        self.optimiser.backward_step(&loss)
    }
}
