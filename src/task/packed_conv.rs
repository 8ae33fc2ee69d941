//! The mask of VTA's convolution template: the rules of [`crate::vta::packed_conv`] for the knobs of a space.

use serde_json::{Value, json};

use crate::vta::config::Geometry;
use crate::vta::packed_conv::{PackedConv, PackedTiles};

use super::{ConfigIndex, Entity, Knob, ValidityFilter, Workload};

/// The template that the rules are about.
const TEMPLATE: &str = "conv2d_packed.vta";
/// Its knobs that matter: `tile_b` is defined and not used.
const KNOBS: [&str; 6] = [
    "tile_h",
    "tile_w",
    "tile_ci",
    "tile_co",
    "oc_nthread",
    "h_nthread",
];

/// No axis, factor or stride is longer in what the rules know; beyond, a record is damaged or something else.
pub(crate) const LONGEST: usize = 2048;

/// The rules for one convolution on one geometry.
#[derive(Debug)]
pub(crate) struct PackedConvMask {
    conv: PackedConv,
    geometry: Geometry,
    /// For each of [`KNOBS`], its position and the factor that each of its values stands for.
    factors: [(usize, Vec<usize>); 6],
    /// Number of values of each knob of the space.
    sizes: Vec<usize>,
}

impl PackedConvMask {
    /// The mask of a convolution with these knobs; `None` when they are other ones, or the geometry is one for which the
    /// rules were not compared with programs.
    pub(crate) fn new(conv: PackedConv, geometry: Geometry, knobs: &[Knob]) -> Option<Self> {
        // Layouts with blocks that differ were never compared.
        if geometry.block_in() != geometry.block_out() {
            return None;
        }
        let factors: Vec<(usize, Vec<usize>)> = KNOBS
            .iter()
            .map(|name| {
                let position = knobs.iter().position(|knob| knob.name() == *name)?;
                let factors = knobs[position].entities().iter().map(factor);
                Some((position, factors.collect::<Option<_>>()?))
            })
            .collect::<Option<_>>()?;
        Some(Self {
            conv,
            geometry,
            factors: factors.try_into().ok()?,
            sizes: knobs.iter().map(Knob::len).collect(),
        })
    }

    /// The mask of a task in a log, if it is such a convolution.
    pub(crate) fn of_workload(workload: &Workload, knobs: &[Knob]) -> Option<Self> {
        let (conv, geometry) = packed_conv_of(workload)?;
        Self::new(conv, geometry, knobs)
    }
}

/// The convolution of a task of the template and the geometry that it is packed for; `None` when it is of a sort that
/// the rules do not know.
pub(crate) fn packed_conv_of(workload: &Workload) -> Option<(PackedConv, Geometry)> {
    if workload.name != TEMPLATE {
        return None;
    }
    let model = workload
        .target
        .split_whitespace()
        .find_map(|word| word.strip_prefix("-model="))?;
    let geometry = Geometry::from_name(model).ok()?;
    Some((conv_of(&workload.args)?, geometry))
}

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

/// The convolution that a task's arguments describe; `None` when it is of a sort that the rules do not know.
fn conv_of(args: &Value) -> Option<PackedConv> {
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    let numbers = |value: &Value| {
        value
            .as_array()?
            .iter()
            .map(number)
            .collect::<Option<Vec<_>>>()
    };
    let (data, kernel) = (numbers(&args[0][1])?, numbers(&args[1][1])?);
    let (strides, padding, dilation) = (numbers(&args[2])?, numbers(&args[3])?, numbers(&args[4])?);
    let equal = |values: &[usize]| values.iter().all(|value| *value == values[0]);
    if data.len() != 6 || kernel.len() != 6 || strides.is_empty() || padding.is_empty() {
        return None;
    }
    if !equal(&strides) || !equal(&padding) || dilation.iter().any(|&step| step != 1) {
        return None;
    }
    let conv = PackedConv {
        height: data[2],
        width: data[3],
        input_blocks: data[1],
        output_blocks: kernel[0],
        kernel_height: kernel[2],
        kernel_width: kernel[3],
        stride: strides[0],
        padding: padding[0],
    };
    let lengths = [
        conv.height,
        conv.width,
        conv.input_blocks,
        conv.output_blocks,
        conv.kernel_height,
        conv.kernel_width,
        conv.stride,
    ];
    let fits = lengths.iter().all(|length| (1..=LONGEST).contains(length))
        && conv.padding <= LONGEST
        && conv.kernel_height <= conv.height + 2 * conv.padding
        && conv.kernel_width <= conv.width + 2 * conv.padding;
    fits.then_some(conv)
}

/// The workload of a convolution, as AutoTVM's log has it.
pub(crate) fn workload_of(conv: &PackedConv, geometry: &Geometry) -> Workload {
    let (batch, block_in, block_out) =
        (geometry.batch(), geometry.block_in(), geometry.block_out());
    let PackedConv {
        height,
        width,
        input_blocks,
        output_blocks,
        kernel_height,
        kernel_width,
        stride,
        padding,
    } = conv;
    let data = json!([1, input_blocks, height, width, batch, block_in]);
    let kernel = json!([
        output_blocks,
        input_blocks,
        kernel_height,
        kernel_width,
        block_out,
        block_in
    ]);
    Workload {
        target: format!(
            "ext_dev -keys=vta,cpu -device=vta -model={}",
            geometry.model()
        ),
        name: TEMPLATE.to_owned(),
        args: json!([
            ["TENSOR", data, "int8"],
            ["TENSOR", kernel, "int8"],
            [stride, stride],
            [padding, padding, padding, padding],
            [1, 1],
            format!("NCHW{batch}n{block_in}c"),
            "int32"
        ]),
    }
}

impl PackedConvMask {
    /// The template that the rules are about.
    pub(crate) const TEMPLATE: &str = TEMPLATE;

    /// Whether the configuration with these digits passes the rules.
    pub(crate) fn allows(&self, digits: &[u32]) -> bool {
        let [h, w, ci, co, oc_threads, h_threads] = self
            .factors
            .each_ref()
            .map(|(position, factors)| factors[digits[*position] as usize]);
        let tiles = PackedTiles {
            h,
            w,
            ci,
            co,
            oc_threads,
            h_threads,
        };
        self.conv.refusal(&self.geometry, &tiles).is_none()
    }
}

impl ValidityFilter for PackedConvMask {
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
