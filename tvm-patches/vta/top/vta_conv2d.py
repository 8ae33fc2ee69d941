"""Convolution on packed data: `conv2d_packed.vta`."""

import math

from tvm import autotvm, te, topi
from tvm.topi.nn.utils import get_pad_tuple
from tvm.topi.utils import get_const_tuple

from vta.top.conv_schedule import matrix_order, schedule
from vta.top.template import declare
from vta.top.utils import is_packed_layout, require_blocks

NAME = "conv2d_packed.vta"
declare(NAME)


def padded(data: te.Tensor, padding, kernel_size) -> te.Tensor:
    """The data with zeros around rows and columns; itself if there are none to add."""
    top, left, bottom, right = get_pad_tuple(padding, kernel_size)
    if not any((top, left, bottom, right)):
        return data
    before, after = [0, 0, top, left, 0, 0], [0, 0, bottom, right, 0, 0]
    return topi.nn.pad(data, before, after, name="pad_data")


@autotvm.register_topi_compute(NAME)
def conv2d_packed(cfg, data, kernel, strides, padding, dilation, layout, out_dtype):
    """Convolve data (N/B, CI/BI, H, W, B, BI) with a kernel (CO/BO, CI/BI, KH, KW, BO, BI)."""
    if not is_packed_layout(layout):
        raise topi.InvalidShapeError()
    if tuple(dilation) != (1, 1):
        raise ValueError(f"the accelerator has no dilated convolution, dilation is {tuple(dilation)}")
    require_blocks(data, kernel)
    kernels, channels, height, width, block_out, block_in = get_const_tuple(kernel.shape)
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
    result = te.compute(
        shape,
        lambda n, c, i, j, ni, ci: te.sum(
            image[n, reduced, i * step_row + d_i, j * step_column + d_j, ni, reduced_in].astype(out_dtype)
            * kernel[c, reduced, d_i, d_j, ci, reduced_in].astype(out_dtype),
            axis=[reduced, d_i, d_j, reduced_in],
        ),
        name="res",
        tag="packed_conv2d",
    )
    cfg.add_flop(2 * math.prod(shape) * height * width * channels * block_in)
    return result


@autotvm.register_topi_schedule(NAME)
def schedule_conv2d_packed(cfg, outs):
    """Schedule it with what is fused to it."""
    return schedule(cfg, outs, "packed_conv2d", matrix_order)
