"""Grouped convolution on packed data: `group_conv2d_packed.vta`."""

import math

from tvm import autotvm, te
from tvm.topi.utils import get_const_tuple

from vta.top.conv_schedule import matrix_order, schedule
from vta.top.template import declare
from vta.top.utils import require_blocks
from vta.top.vta_conv2d import padded

NAME = "group_conv2d_packed.vta"
_TAG = "packed_group_conv2d"
declare(NAME)


@autotvm.register_topi_compute(NAME)
def group_conv2d_packed(cfg, data, kernel, strides, padding, dilation, group, out_dtype):
    """Convolve groups of channels with a kernel (CO/BO, CI/BI of one group, KH, KW, BO, BI)."""
    if tuple(dilation) != (1, 1):
        raise ValueError(f"the accelerator has no dilated convolution, dilation is {tuple(dilation)}")
    require_blocks(data, kernel)
    kernels, channels, height, width, block_out, block_in = get_const_tuple(kernel.shape)
    if get_const_tuple(data.shape)[1] != channels * group or kernels % group:
        raise ValueError(
            f"{group} groups of {channels} blocks of channels do not fit {data.shape[1]} blocks of data and "
            f"{kernels} of kernels"
        )
    image = padded(data, padding, (height, width))
    batches, _, rows, columns, batch, _ = get_const_tuple(image.shape)
    step_row, step_column = strides
    shape = (
        batches,
        kernels,
        (rows - height) // step_row + 1,
        (columns - width) // step_column + 1,
        batch,
        block_out,
    )
    reduced = te.reduce_axis((0, channels), name="k_o")
    d_i = te.reduce_axis((0, height), name="d_i")
    d_j = te.reduce_axis((0, width), name="d_j")
    reduced_in = te.reduce_axis((0, block_in), name="k_i")
    per_group = kernels // group
    result = te.compute(
        shape,
        lambda n, c, i, j, ni, ci: te.sum(
            image[
                n,
                te.indexdiv(c, per_group) * channels + reduced,
                i * step_row + d_i,
                j * step_column + d_j,
                ni,
                reduced_in,
            ].astype(out_dtype)
            * kernel[c, reduced, d_i, d_j, ci, reduced_in].astype(out_dtype),
            axis=[reduced, d_i, d_j, reduced_in],
        ),
        name="res",
        tag=_TAG,
    )
    cfg.add_flop(2 * math.prod(shape) * height * width * channels * block_in)
    return result


@autotvm.register_topi_schedule(NAME)
def schedule_group_conv2d_packed(cfg, outs):
    """Schedule it with what is fused to it."""
    return schedule(cfg, outs, _TAG, matrix_order)
