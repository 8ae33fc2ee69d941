//! One layer and the accelerator that computes it, as a config space for the strategies of tasks.

use std::sync::Arc;

use crate::task::{ConfigSpace, SpaceError};
use crate::vta::config::Geometry;
use crate::vta::packed_conv::PackedTiles;

use super::convolution::Convolution;
use super::geometries::GeometrySpace;
use super::scene::LayerScene;

/// Every schedule of one convolution on every geometry within limits.
///
/// Its knobs are the geometry's dimensions and those of `conv2d_packed.vta`; a mask holds what the rules of the hardware,
/// the limits and the packed convolution refuse: of some 1e8 combinations few are valid.
#[derive(Clone, Debug)]
pub struct LayerSpace {
    scene: Arc<LayerScene>,
    space: Arc<ConfigSpace>,
}

impl LayerSpace {
    /// The space of a convolution; there is at least one geometry.
    ///
    /// # Errors
    /// As [`ConfigSpace::new`].
    pub fn new(convolution: Convolution, geometries: &GeometrySpace) -> Result<Self, SpaceError> {
        let scene = Arc::new(LayerScene::new(convolution, geometries));
        let space = Arc::clone(scene.environment()?.space());
        Ok(Self { scene, space })
    }

    /// The config space.
    pub const fn space(&self) -> &Arc<ConfigSpace> {
        &self.space
    }

    /// The geometry and the schedule that a configuration stands for; `None` where the mask refuses it.
    pub fn decode(&self, digits: &[u32]) -> Option<(Geometry, PackedTiles)> {
        self.scene.decode(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::Limits;
    use super::super::schedules::schedules;
    use super::*;
    use crate::task::ConfigIndex;

    #[test]
    fn its_valid_configurations_are_every_schedule_of_every_geometry_once() {
        let convolution = Convolution {
            input_channels: 8,
            output_channels: 8,
            height: 4,
            width: 4,
            kernel_height: 3,
            kernel_width: 3,
            stride: 1,
            padding: 1,
        };
        let limits = Limits {
            macs: Some(64),
            sram_bits: Some(8 * 64 * 1024),
            board: None,
            log_batch: 0,
            unequal_blocks: false,
        };
        let geometries = GeometrySpace::new(Geometry::default(), limits);
        let layer = LayerSpace::new(convolution, &geometries).unwrap();
        let space = layer.space();
        let indices: Vec<_> = (0..space.range_length()).map(ConfigIndex).collect();
        let valid = space.valid(&indices).unwrap();
        let mut found: Vec<_> = indices
            .iter()
            .zip(valid)
            .filter(|&(_, valid)| valid)
            .map(|(index, _)| layer.decode(&space.digits(*index).unwrap()).unwrap())
            .map(|(geometry, tiles)| format!("{} {tiles:?}", geometry.name()))
            .collect();
        let mut expected: Vec<_> = geometries
            .all()
            .iter()
            .flat_map(|geometry| {
                let conv = convolution.packed(geometry);
                let named = move |tiles| format!("{} {tiles:?}", geometry.name());
                schedules(&conv, geometry).into_iter().map(named)
            })
            .collect();
        found.sort();
        expected.sort();
        assert!(expected.len() > 500, "{}", expected.len());
        assert_eq!(found, expected);
    }
}
