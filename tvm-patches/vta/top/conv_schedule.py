"""The schedule that the convolution templates share: tiles, virtual threads, where copies go."""

from collections.abc import Callable

from tvm import te

from vta.environment import get_env
from vta.top.fusion import analyse, require_requantised


def schedule(cfg, outs, tag: str, order: Callable) -> te.Schedule:
    """Schedule a convolution with its elementwise operators.

    `order(s, cfg, conv)` arranges the loops of the convolution's own stage and returns the loop over input
    channels at which data and kernel are loaded.
    """
    env = get_env()
    fused = analyse(outs, tag)
    require_requantised(fused)
    output, conv = fused.output, fused.core
    s = te.create_schedule(output.op)
    _define_space(cfg, s, conv)

    data, kernel = conv.op.input_tensors
    if isinstance(data.op, te.ComputeOp) and "pad" in data.op.tag:
        # Padding is part of the load.
        loaded = data
        s[loaded].set_scope(env.inp_scope)
    else:
        loaded = s.cache_read(data, env.inp_scope, [conv])
    weights = s.cache_read(kernel, env.wgt_scope, [conv])
    s[conv].set_scope(env.acc_scope)
    operands = [s.cache_read(tensor, env.acc_scope, [consumer]) for consumer, tensor in fused.inputs]
    for op in fused.ewise:
        s[op].set_scope(env.acc_scope)
        s[op].pragma(s[op].op.axis[0], env.alu)
    for op in (*fused.constants, *fused.casts):
        s[op].compute_inline()

    batch, channel, row, column, batch_in, channel_in = s[output].op.axis
    channel_out, channel_tile = cfg["tile_co"].apply(s, output, channel)
    row_out, row_tile = cfg["tile_h"].apply(s, output, row)
    column_out, column_tile = cfg["tile_w"].apply(s, output, column)
    tile = (channel_tile, row_tile, column_tile, batch_in, channel_in)
    s[output].reorder(batch, row_out, channel_out, column_out, *tile)

    for stage in (conv, *(op.output(0) for op in fused.ewise), *operands):
        s[stage].compute_at(s[output], column_out)
    for operand in operands:
        s[operand].pragma(s[operand].op.axis[0], env.dma_copy)
    virtual_threads(s, output, batch, channel_out, cfg["oc_nthread"].val)
    virtual_threads(s, output, batch, row_out, cfg["h_nthread"].val)

    load_at = order(s, cfg, conv)
    for stage in (loaded, weights):
        s[stage].compute_at(s[conv], load_at)
        s[stage].pragma(s[stage].op.axis[0], env.dma_copy)
    s[output].pragma(channel_tile, env.dma_copy)
    return s


def virtual_threads(s: te.Schedule, output: te.Tensor, outermost, axis, count: int) -> None:
    """Run a loop in `count` interleaved parts, so that one loads while another computes."""
    if count > 1:
        _, thread = s[output].split(axis, factor=count)
        s[output].reorder(thread, outermost)
        s[output].bind(thread, te.thread_axis("cthread"))


def _define_space(cfg, s: te.Schedule, conv: te.Tensor) -> None:
    """The knobs in the order that logs have them. `tile_b` is defined and not used, as it always was."""
    batch, channel, row, column, _, _ = s[conv].op.axis
    reduced = s[conv].op.reduce_axis[0]
    for name, axis in (
        ("tile_b", batch),
        ("tile_h", row),
        ("tile_w", column),
        ("tile_ci", reduced),
        ("tile_co", channel),
    ):
        cfg.define_split(name, axis, num_outputs=2)
    cfg.define_knob("oc_nthread", [1, 2])
    cfg.define_knob("h_nthread", [1, 2])


def matrix_order(s: te.Schedule, cfg, conv: te.Tensor):
    """The loops of a convolution whose innermost three are one operation of the matrix unit."""
    batch, channel, row, column, batch_in, channel_in = s[conv].op.axis
    reduced, kernel_row, kernel_column, reduced_in = s[conv].op.reduce_axis
    s[conv].reorder(
        batch,
        reduced,
        column,
        kernel_column,
        kernel_row,
        channel,
        row,
        batch_in,
        channel_in,
        reduced_in,
    )
    load_at, _ = cfg["tile_ci"].apply(s, conv, reduced)
    s[conv].tensorize(batch_in, get_env().gemm)
    return load_at
