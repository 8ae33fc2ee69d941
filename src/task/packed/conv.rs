//! `conv2d_packed.vta`: a task's arguments as a convolution, and back.

use serde_json::{Value, json};

use crate::vta::config::Geometry;
use crate::vta::packed_conv::PackedConv;

use super::super::Workload;
use super::arguments::{equal, numbers, within};

/// The template's name.
pub(super) const TEMPLATE: &str = "conv2d_packed.vta";

/// The convolution that a task's arguments describe; `None` when it is of a sort that the rules do not know.
pub(super) fn conv_of(args: &Value) -> Option<PackedConv> {
    let (data, kernel) = (numbers(&args[0][1])?, numbers(&args[1][1])?);
    let (stride, padding) = (equal(&args[2])?, equal(&args[3])?);
    if data.len() != 6 || kernel.len() != 6 || equal(&args[4])? != 1 {
        return None;
    }
    let conv = PackedConv {
        batches: data[0],
        height: data[2],
        width: data[3],
        input_blocks: data[1],
        output_blocks: kernel[0],
        kernel_height: kernel[2],
        kernel_width: kernel[3],
        stride,
        padding,
    };
    is_known(&conv).then_some(conv)
}

/// Whether a convolution has an output, and every length is one that the rules know.
pub(crate) fn is_known(conv: &PackedConv) -> bool {
    let lengths = [
        conv.batches,
        conv.height,
        conv.width,
        conv.input_blocks,
        conv.output_blocks,
        conv.kernel_height,
        conv.kernel_width,
        conv.stride,
        conv.padding.saturating_add(1),
    ];
    within(&lengths)
        && conv.kernel_height <= conv.height + 2 * conv.padding
        && conv.kernel_width <= conv.width + 2 * conv.padding
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

/// The workload of a convolution, as AutoTVM's log has it.
pub(crate) fn workload_of(conv: &PackedConv, geometry: &Geometry) -> Workload {
    let (batch, block_in, block_out) =
        (geometry.batch(), geometry.block_in(), geometry.block_out());
    let PackedConv {
        batches,
        height,
        width,
        input_blocks,
        output_blocks,
        kernel_height,
        kernel_width,
        stride,
        padding,
    } = conv;
    let data = json!([batches, input_blocks, height, width, batch, block_in]);
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
