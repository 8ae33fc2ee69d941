//! The mask of VTA's templates: the rules of [`crate::vta::packed_conv`] and its neighbours for the knobs of a space.

mod arguments;
mod conv;
mod layer;

use crate::vta::config::Geometry;
use crate::vta::packed_conv::PackedConv;

use super::{ConfigIndex, Entity, Knob, ValidityFilter, Workload};

pub(crate) use arguments::LONGEST;
pub(crate) use conv::{is_known as is_known_conv, packed_conv_of, workload_of};
pub(crate) use layer::CONV_KNOBS;
use layer::PackedLayer;

/// The rules for one layer on one geometry.
#[derive(Debug)]
pub(crate) struct PackedMask {
    layer: PackedLayer,
    geometry: Geometry,
    /// For each of the layer's knobs, its position and the factor that each of its values stands for.
    factors: Vec<(usize, Vec<usize>)>,
    /// Number of values of each knob of the space.
    sizes: Vec<usize>,
}

impl PackedMask {
    /// The mask of a convolution with these knobs; `None` when they are other ones.
    pub(crate) fn of_conv(conv: PackedConv, geometry: Geometry, knobs: &[Knob]) -> Option<Self> {
        Self::new(PackedLayer::Conv(conv), geometry, knobs)
    }

    fn new(layer: PackedLayer, geometry: Geometry, knobs: &[Knob]) -> Option<Self> {
        // Of the other templates, layouts with blocks that differ were never compared with programs.
        let compared =
            matches!(layer, PackedLayer::Conv(_)) || geometry.block_in() == geometry.block_out();
        if !compared {
            return None;
        }
        let factors: Vec<(usize, Vec<usize>)> = layer
            .knobs()
            .iter()
            .map(|name| {
                let position = knobs.iter().position(|knob| knob.name() == *name)?;
                let factors = knobs[position].entities().iter().map(factor);
                Some((position, factors.collect::<Option<_>>()?))
            })
            .collect::<Option<_>>()?;
        Some(Self {
            layer,
            geometry,
            factors,
            sizes: knobs.iter().map(Knob::len).collect(),
        })
    }

    /// The mask of a task in a log, if it is one of VTA's.
    pub(crate) fn of_workload(workload: &Workload, knobs: &[Knob]) -> Option<Self> {
        let layer = PackedLayer::of_workload(workload)?;
        let model = workload
            .target
            .split_whitespace()
            .find_map(|word| word.strip_prefix("-model="))?;
        Self::new(layer, Geometry::from_name(model).ok()?, knobs)
    }

    /// The template that the rules are about.
    pub(crate) fn template(&self) -> &'static str {
        self.layer.template()
    }

    /// Whether the configuration with these digits passes the rules.
    pub(crate) fn allows(&self, digits: &[u32]) -> bool {
        let factor =
            |(position, factors): &(usize, Vec<usize>)| factors[digits[*position] as usize];
        let mut chosen = [0; CONV_KNOBS.len()];
        for (place, knob) in chosen.iter_mut().zip(&self.factors) {
            *place = factor(knob);
        }
        self.layer
            .allows(&self.geometry, &chosen[..self.factors.len()])
    }
}

/// What a knob's value makes the inner loop.
fn factor(entity: &Entity) -> Option<usize> {
    entity
        .number()
        .filter(|factor| (1..=LONGEST).contains(factor))
}

impl ValidityFilter for PackedMask {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        let allows = |index: &ConfigIndex| self.allows(&index.digits(self.sizes.iter().copied()));
        Ok(indices.iter().map(allows).collect())
    }

    fn is_cheap(&self) -> bool {
        true
    }
}
