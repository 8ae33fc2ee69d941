//! What one accelerator has to serve: the convolutions of one network or of several.

use crate::task::{Task, Workload};
use crate::vta::config::Geometry;
use crate::vta::packed_conv::PackedConv;

use super::convolution::Convolution;
use super::ledger::Point;

/// A convolution and how often it occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The convolution.
    pub convolution: Convolution,
    /// Occurrences.
    pub uses: u32,
}

/// The convolutions that an accelerator is chosen for, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    layers: Vec<Layer>,
}

/// A task that co-design cannot derive for another geometry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the task {0} is no convolution that can be packed anew for another geometry")]
pub struct ForeignTask(pub String);

impl Network {
    /// Adds a convolution; one that is there already occurs more often.
    pub fn add(&mut self, convolution: Convolution, uses: u32) {
        let same = |layer: &&mut Layer| layer.convolution == convolution;
        match self.layers.iter_mut().find(same) {
            Some(layer) => layer.uses += uses,
            None => self.layers.push(Layer { convolution, uses }),
        }
    }

    /// Adds every task of a network that was extracted for some geometry.
    ///
    /// # Errors
    /// When a task is of another template, or a convolution of a sort that cannot be derived.
    pub fn add_tasks<'a>(
        &mut self,
        tasks: impl IntoIterator<Item = &'a Task>,
    ) -> Result<(), ForeignTask> {
        for task in tasks {
            let convolution = Convolution::of_task(&task.workload)
                .ok_or_else(|| ForeignTask(task.workload.label()))?;
            self.add(convolution, task.weight);
        }
        Ok(())
    }

    /// The layer of a point as its geometry packs it.
    ///
    /// # Panics
    /// When there is no such layer.
    pub fn packed(&self, point: &Point) -> PackedConv {
        self.layers[point.layer].convolution.packed(&point.geometry)
    }

    /// The layers in the order they were added.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The layer that a task for some geometry is.
    pub fn position(&self, workload: &Workload) -> Option<usize> {
        let convolution = Convolution::of_task(workload)?;
        let of_this = |layer: &Layer| layer.convolution == convolution;
        self.layers.iter().position(of_this)
    }

    /// Multiply-accumulates for one image.
    pub fn macs(&self) -> u64 {
        let each = self.layers.iter();
        each.map(|layer| layer.convolution.macs() * u64::from(layer.uses))
            .sum()
    }

    /// Cycles for one image if every multiplier of a geometry worked in every cycle: no schedule is faster.
    pub fn least_cycles(&self, geometry: &Geometry) -> u64 {
        self.macs().div_ceil(geometry.macs() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::convolution::tests::SECOND;
    use super::*;

    #[test]
    fn a_convolution_of_two_networks_is_one_layer() {
        let mut network = Network::default();
        network.add(SECOND, 4);
        let strided = Convolution {
            stride: 2,
            ..SECOND
        };
        network.add(strided, 1);
        network.add(SECOND, 2);
        assert_eq!(network.layers().len(), 2);
        assert_eq!(network.layers()[0].uses, 6);
        assert_eq!(network.macs(), 6 * SECOND.macs() + strided.macs());
    }

    #[test]
    fn the_bound_is_the_work_by_the_multipliers() {
        let mut network = Network::default();
        network.add(SECOND, 1);
        let sixteen = Geometry::default();
        let thirty_two: Geometry = "1x32_i8w8a32_15_15_19_18".parse().unwrap();
        assert_eq!(network.least_cycles(&sixteen), SECOND.macs() / 256);
        assert_eq!(network.least_cycles(&thirty_two), SECOND.macs() / 1024);
    }
}
