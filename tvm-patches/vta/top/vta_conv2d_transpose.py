"""Transposed convolution on packed data: `conv2d_transpose_packed.vta`."""

import math

from tvm import autotvm, te, tir, topi
from tvm.topi.nn.utils import get_pad_tuple
from tvm.topi.utils import get_const_tuple

from vta.top.conv_schedule import schedule
from vta.top.template import declare
from vta.top.utils import require_blocks

NAME = "conv2d_transpose_packed.vta"
_TAG = "packed_conv2d_transpose"
#: An accumulator may be written again by the third micro-operation after, not earlier.
_APART = 3
declare(NAME)


@autotvm.register_topi_compute(NAME)
def conv2d_transpose_packed(cfg, data, kernel, strides, padding, out_dtype, output_padding=(0, 0)):
    """Transposed convolution of data (N/B, CI/BI, H, W, B, BI).

    The kernel (CO/BO, CI/BI, KH, KW, BO, BI) is that of the equivalent convolution: rows and columns
    reversed.
    """
    require_blocks(data, kernel)
    batches, channels, rows, columns, batch, block_in = get_const_tuple(data.shape)
    filters, _, height, width, block_out, _ = get_const_tuple(kernel.shape)
    step_row, step_column = strides
    more_rows, more_columns = output_padding
    top, left, bottom, right = get_pad_tuple(padding, (height, width))
    before = (height - 1 - top, width - 1 - left)
    after = (height - 1 - bottom + more_rows, width - 1 - right + more_columns)
    spread = topi.nn.dilate(data, [1, 1, step_row, step_column, 1, 1])
    image = topi.nn.pad(spread, [0, 0, *before, 0, 0], [0, 0, *after, 0, 0], name="pad_data")
    shape = (
        batches,
        filters,
        (rows - 1) * step_row - top - bottom + height + more_rows,
        (columns - 1) * step_column - left - right + width + more_columns,
        batch,
        block_out,
    )
    reduced = te.reduce_axis((0, channels), name="d_c")
    d_i = te.reduce_axis((0, height), name="d_h")
    d_j = te.reduce_axis((0, width), name="d_w")
    reduced_in = te.reduce_axis((0, block_in), name="d_ci")

    def product(n, c, i, j, ni, ci):
        value = image[n, reduced, i + d_i, j + d_j, ni, reduced_in].astype(out_dtype) * kernel[
            c, reduced, d_i, d_j, ci, reduced_in
        ].astype(out_dtype)
        given = [
            te.indexmod(index - offset, step).equal(0)
            for index, offset, step in ((i + d_i, before[0], step_row), (j + d_j, before[1], step_column))
            if step > 1
        ]
        return tir.Select(tir.all(*given), value, tir.const(0, out_dtype)) if given else value

    result = te.compute(
        shape,
        lambda *index: te.sum(product(*index), axis=[reduced, d_i, d_j, reduced_in]),
        name="res",
        tag=_TAG,
        attrs={"strides": [step_row, step_column]},
    )
    cfg.add_flop(2 * math.prod(shape) * height * width * channels * block_in)
    return result


@autotvm.register_topi_schedule(NAME)
def schedule_conv2d_transpose_packed(cfg, outs):
    """Schedule it with what is fused to it."""
    return schedule(cfg, outs, _TAG, _order)


def _order(s: te.Schedule, cfg, conv: te.Tensor):
    batch, channel, row, column, batch_in, channel_in = s[conv].op.axis
    reduced, kernel_row, kernel_column, reduced_in = s[conv].op.reduce_axis
    step_row, step_column = (int(step) for step in conv.op.attrs["strides"])
    rows = _written_out(cfg["tile_h"].size[-1], step_row, _APART * step_row)
    columns = _written_out(cfg["tile_w"].size[-1], step_column, step_column)
    row, row_in = s[conv].split(row, rows)
    column, column_in = s[conv].split(column, columns)
    s[conv].reorder(
        batch,
        reduced,
        column,
        channel,
        row,
        column_in,
        kernel_column,
        kernel_row,
        row_in,
        batch_in,
        channel_in,
        reduced_in,
    )
    for axis in (kernel_column, kernel_row, row_in, column_in):
        s[conv].unroll(axis)
    load_at, _ = cfg["tile_ci"].apply(s, conv, reduced)
    s[conv].pragma(batch_in, "conv2d_transpose_gemm")
    return load_at


def _written_out(tile: int, step: int, least: int) -> int:
    """How many rows (or columns) of a tile are written out: at least `least`, or as many as can be.

    Whole parts only, as micro-operations cannot be under a condition on what is left over; and whole steps,
    so that which products are with an inserted zero is known when compiling.
    """
    parts = [part for part in range(1, tile + 1) if tile % part == 0 and part % step == 0]
    return next((part for part in parts if part >= least), parts[-1] if parts else 1)
