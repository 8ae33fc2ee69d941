//! The mask of VTA's templates: the rules of [`crate::vta::packed_conv`] and its neighbours for the knobs of a space.

mod arguments;
mod conv;
mod layer;

use crate::vta::config::Geometry;
use crate::vta::packed_conv::PackedConv;

use super::{ConfigIndex, Entity, Knob, ValidityFilter, Workload};

pub(crate) use arguments::LONGEST;
pub(crate) use conv::{packed_conv_of, workload_of};
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
        let mut chosen = [0; MOST_KNOBS];
        for (place, knob) in chosen.iter_mut().zip(&self.factors) {
            *place = factor(knob);
        }
        self.layer
            .allows(&self.geometry, &chosen[..self.factors.len()])
    }
}

/// Knobs of a template at most.
const MOST_KNOBS: usize = 6;

/// What a knob's value makes the inner loop: the last size of a split, or the number itself.
fn factor(entity: &Entity) -> Option<usize> {
    let number = match entity {
        Entity::Split(sizes) => *sizes.last()?,
        Entity::Other(value) => value.as_i64()?,
        Entity::Reorder(_) | Entity::Annotate(_) => return None,
    };
    usize::try_from(number)
        .ok()
        .filter(|factor| (1..=LONGEST).contains(factor))
}

impl ValidityFilter for PackedMask {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        let digits_of = |index: &ConfigIndex| {
            let mut rest = index.0;
            let digit = |&size: &usize| {
                let digit = rest % size as u64;
                rest /= size as u64;
                digit as u32
            };
            self.sizes.iter().map(digit).collect::<Vec<_>>()
        };
        Ok(indices
            .iter()
            .map(|index| self.allows(&digits_of(index)))
            .collect())
    }

    fn is_cheap(&self) -> bool {
        true
    }
}
