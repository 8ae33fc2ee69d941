//! ResNet-18's convolutions on every accelerator within limits, with costs by the draft model.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use arco_tvm::codesign::{
    Convolution, Cost, DraftEvaluator, Evaluator, GeometrySpace, LayerSpace, Limits, Network,
    Objective, Point, lower_bound,
};
use arco_tvm::record::ErrorNo;
use arco_tvm::strategy::Outcome;
use arco_tvm::task::{ConfigIndex, ConfigSpace};
use arco_tvm::vta::config::Geometry;

/// Input channels, output channels, rows and columns, kernel, stride.
type Shape = [usize; 5];
/// Four of its convolutions that differ in where their time goes.
pub const LAYERS: [Shape; 4] = [
    [64, 64, 56, 3, 1],
    [128, 256, 28, 1, 2],
    [256, 512, 14, 3, 2],
    [512, 512, 7, 3, 1],
];
/// What takes so many times as long as the default geometry's multipliers is not waited for.
const PATIENCE: u64 = 16;

/// A layer's space, and what is known of it.
pub struct Layer {
    space: LayerSpace,
    geometries: usize,
    network: Network,
    convolution: Convolution,
    /// Cycles that the default geometry would take if its multipliers were always busy.
    unit: u64,
    known: Mutex<HashMap<ConfigIndex, Outcome>>,
}

impl Layer {
    pub fn new(&[input_channels, output_channels, size, kernel, stride]: &Shape) -> Self {
        let convolution = Convolution {
            input_channels,
            output_channels,
            height: size,
            width: size,
            kernel_height: kernel,
            kernel_width: kernel,
            stride,
            padding: kernel / 2,
        };
        let limits = Limits {
            macs: Some(1024),
            sram_bits: Some(8 * 1024 * 1024),
            board: None,
            log_batch: 0,
            unequal_blocks: false,
        };
        let geometries = GeometrySpace::new(Geometry::default(), limits);
        let mut network = Network::default();
        network.add(convolution, 1);
        Self {
            space: LayerSpace::new(convolution, &geometries).unwrap(),
            geometries: geometries.all().len(),
            unit: network.macs() / Cost::of(&Geometry::default()).macs,
            network,
            convolution,
            known: Mutex::default(),
        }
    }

    /// What it is.
    pub fn describe(&self) -> String {
        let Convolution {
            input_channels,
            output_channels,
            height,
            kernel_height,
            stride,
            ..
        } = self.convolution;
        let (all, geometries) = (self.space().range_length(), self.geometries);
        format!(
            "{input_channels}x{height}x{height} {output_channels}x{input_channels}x{kernel_height}x{kernel_height} \
             stride {stride}: {all:.1e} combinations, {geometries} geometries"
        )
    }

    pub const fn space(&self) -> &Arc<ConfigSpace> {
        self.space.space()
    }

    /// Cycles times area of a configuration.
    pub fn measure(&self, index: ConfigIndex, draft: &mut DraftEvaluator) -> Outcome {
        if let Some(known) = self.known.lock().unwrap().get(&index) {
            return *known;
        }
        let outcome = self.evaluate(index, draft);
        self.known.lock().unwrap().insert(index, outcome);
        outcome
    }

    fn evaluate(&self, index: ConfigIndex, draft: &mut DraftEvaluator) -> Outcome {
        let digits = self.space().digits(index).unwrap();
        let Some((geometry, tiles)) = self.space.decode(&digits) else {
            return Outcome::Failed(ErrorNo::Instantiation);
        };
        let conv = self.convolution.packed(&geometry);
        if lower_bound(&conv, &geometry, &tiles) > PATIENCE * self.unit {
            return Outcome::Failed(ErrorNo::RunTimeout);
        }
        let point = Point {
            layer: 0,
            geometry,
            tiles,
        };
        match draft.cycles(&self.network, &point).unwrap() {
            Some(cycles) => {
                let reference = Cost::of(&Geometry::default());
                let cycles = cycles as f64 / self.unit as f64;
                Outcome::Cost(Objective::LatencyPerArea.score(cycles, &geometry, &reference))
            }
            None => Outcome::Failed(ErrorNo::RuntimeDevice),
        }
    }
}
