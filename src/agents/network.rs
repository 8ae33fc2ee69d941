//! Small perceptrons on candle, with weights drawn from our own streams.

use candle_core::{Device, Result, Tensor, Var};
use rand::{Rng, RngExt};

/// A perceptron with ReLU between its layers.
#[derive(Clone, Debug)]
pub(super) struct Mlp {
    /// Weights (`[in, out]`) and biases (`[out]`), first layer first.
    layers: Vec<(Var, Var)>,
}

impl Mlp {
    /// A perceptron with these widths, input first.
    ///
    /// Weights are uniform with variance 2 / inputs (He et al. 2015), for ReLU; those of the last layer are scaled by
    /// `last_scale`, so that an actor starts undecided. candle's own random numbers cannot be seeded on a CPU, hence
    /// `rng`.
    pub fn new(widths: &[usize], last_scale: f32, rng: &mut impl Rng) -> Result<Self> {
        let last = widths.len() - 2;
        let layers = widths
            .windows(2)
            .enumerate()
            .map(|(i, pair)| {
                let (inputs, outputs) = (pair[0], pair[1]);
                let scale = if i == last { last_scale } else { 1.0 };
                let bound = scale * (6.0 / inputs as f32).sqrt();
                let weights: Vec<f32> = (0..inputs * outputs)
                    .map(|_| bound * (2.0 * rng.random::<f32>() - 1.0))
                    .collect();
                let weights = Tensor::from_vec(weights, (inputs, outputs), &Device::Cpu)?;
                let biases = Tensor::zeros(outputs, candle_core::DType::F32, &Device::Cpu)?;
                Ok((Var::from_tensor(&weights)?, Var::from_tensor(&biases)?))
            })
            .collect::<Result<_>>()?;
        Ok(Self { layers })
    }

    /// Sets the biases of the outputs.
    pub fn set_output_biases(&self, biases: &[f32]) -> Result<()> {
        let (_, last) = &self.layers[self.layers.len() - 1];
        last.set(&Tensor::from_slice(biases, biases.len(), &Device::Cpu)?)
    }

    /// The outputs for a batch: `[rows, in]` to `[rows, out]`.
    pub fn forward(&self, rows: &Tensor) -> Result<Tensor> {
        self.run(rows, |var| var.as_tensor().clone())
    }

    /// The same without a trace for gradients.
    pub fn infer(&self, rows: &Tensor) -> Result<Tensor> {
        self.run(rows, |var| var.as_tensor().detach())
    }

    fn run(&self, rows: &Tensor, read: impl Fn(&Var) -> Tensor) -> Result<Tensor> {
        let mut x = rows.clone();
        for (i, (weights, biases)) in self.layers.iter().enumerate() {
            if i > 0 {
                x = x.relu()?;
            }
            x = x.matmul(&read(weights))?.broadcast_add(&read(biases))?;
        }
        Ok(x)
    }

    /// What an optimiser changes.
    pub fn vars(&self) -> Vec<Var> {
        let pairs = self.layers.iter();
        pairs
            .flat_map(|(weights, biases)| [weights.clone(), biases.clone()])
            .collect()
    }
}
