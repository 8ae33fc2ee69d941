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
/// Its knobs are the geometry's dimensions and those of `conv2d_packed.vta`; a mask holds what the rules of the hardware, the
/// limits and the packed convolution refuse. No space of a template is as large: some 1e9 combinations, few of them valid.
#[derive(Clone, Debug)]
pub struct LayerSpace {
    scene: Arc<LayerScene>,
    space: Arc<ConfigSpace>,
}

impl LayerSpace {
    /// The space of a convolution.
    ///
    /// # Errors
    /// When the limits allow no geometry.
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
