//! The layer that a task of one of VTA's templates describes, and which of its schedules are programs.

use crate::vta::config::Geometry;
use crate::vta::packed_conv::{PackedConv, PackedTiles};
use crate::vta::packed_dense::{DenseTiles, PackedDense};
use crate::vta::packed_group_conv::PackedGroupConv;
use crate::vta::packed_transposed_conv::PackedTransposedConv;

use super::super::Workload;
use super::arguments::{LONGEST, equal, numbers, within};
use super::conv;

/// Knobs of the convolution templates that matter: `tile_b` is defined and not used.
pub(crate) const CONV_KNOBS: [&str; 6] = [
    "tile_h",
    "tile_w",
    "tile_ci",
    "tile_co",
    "oc_nthread",
    "h_nthread",
];
/// Knobs of the dense template.
const DENSE_KNOBS: &[&str] = &["tile_b", "tile_ci", "tile_co", "oc_nthread"];

/// A layer in packed layout.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PackedLayer {
    Conv(PackedConv),
    GroupConv(PackedGroupConv),
    TransposedConv(PackedTransposedConv),
    Dense(PackedDense),
}

impl PackedLayer {
    /// The layer of a task; `None` when it is of another template, or of a sort that the rules do not know.
    pub(super) fn of_workload(workload: &Workload) -> Option<Self> {
        let args = &workload.args;
        match workload.name.as_str() {
            conv::TEMPLATE => conv::conv_of(args).map(Self::Conv),
            "group_conv2d_packed.vta" => {
                let conv = conv::conv_of(args)?;
                let groups = usize::try_from(args[5].as_u64()?).ok()?;
                let whole = groups > 0
                    && conv.input_blocks.is_multiple_of(groups)
                    && conv.output_blocks.is_multiple_of(groups);
                whole.then_some(Self::GroupConv(PackedGroupConv { conv, groups }))
            }
            "conv2d_transpose_packed.vta" => {
                let (data, kernel) = (numbers(&args[0][1])?, numbers(&args[1][1])?);
                if data.len() != 6 || kernel.len() != 6 || kernel[2] != kernel[3] {
                    return None;
                }
                let conv = PackedTransposedConv {
                    height: data[2],
                    width: data[3],
                    output_blocks: kernel[0],
                    kernel: kernel[2],
                    stride: equal(&args[2])?,
                    padding: equal(&args[3])?,
                    output_padding: equal(&args[5])?,
                };
                let lengths = [
                    conv.height,
                    conv.width,
                    conv.output_blocks,
                    conv.kernel,
                    conv.stride,
                ];
                let shortest = (conv.height.min(conv.width).saturating_sub(1))
                    .saturating_mul(conv.stride)
                    .saturating_add(conv.kernel);
                let fits = within(&lengths)
                    && conv.padding < conv.kernel
                    && conv.output_padding <= LONGEST
                    && shortest + conv.output_padding > 2 * conv.padding;
                fits.then_some(Self::TransposedConv(conv))
            }
            "dense_packed.vta" => {
                let (data, weight) = (numbers(&args[0][1])?, numbers(&args[1][1])?);
                if data.len() != 4 || weight.len() != 4 {
                    return None;
                }
                let dense = PackedDense {
                    output_blocks: weight[0],
                };
                Some(Self::Dense(dense))
            }
            _ => None,
        }
    }

    /// The template's name.
    pub(super) fn template(&self) -> &'static str {
        match self {
            Self::Conv(_) => conv::TEMPLATE,
            Self::GroupConv(_) => "group_conv2d_packed.vta",
            Self::TransposedConv(_) => "conv2d_transpose_packed.vta",
            Self::Dense(_) => "dense_packed.vta",
        }
    }

    /// The knobs whose factors the rules ask for, in the order of [`PackedLayer::allows`].
    pub(super) fn knobs(&self) -> &'static [&'static str] {
        match self {
            Self::Dense(_) => DENSE_KNOBS,
            _ => &CONV_KNOBS,
        }
    }

    /// Whether the schedule with these factors of [`PackedLayer::knobs`] is a program for `geometry`.
    pub(super) fn allows(&self, geometry: &Geometry, factors: &[usize]) -> bool {
        let tiles = || PackedTiles {
            h: factors[0],
            w: factors[1],
            ci: factors[2],
            co: factors[3],
            oc_threads: factors[4],
            h_threads: factors[5],
        };
        let refusal = match self {
            Self::Conv(conv) => conv.refusal(geometry, &tiles()),
            Self::GroupConv(conv) => conv.refusal(geometry, &tiles()),
            Self::TransposedConv(conv) => conv.refusal(geometry, &tiles()),
            Self::Dense(dense) => {
                let tiles = DenseTiles {
                    b: factors[0],
                    ci: factors[1],
                    co: factors[2],
                    oc_threads: factors[3],
                };
                dense.refusal(geometry, &tiles)
            }
        };
        refusal.is_none()
    }
}
