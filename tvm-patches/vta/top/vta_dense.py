"""Dense layers on packed data: `dense_packed.vta`."""

import math

from tvm import autotvm, te, topi
from tvm.topi.utils import get_const_tuple

from vta.environment import get_env
from vta.top.conv_schedule import virtual_threads
from vta.top.fusion import analyse, require_requantised
from vta.top.template import declare
from vta.top.utils import require_blocks

NAME = "dense_packed.vta"
_TAG = "packed_dense"
declare(NAME)


@autotvm.register_topi_compute(NAME)
def dense_packed(cfg, data, weight, bias=None, out_dtype=None):
    """Multiply data (N/B, CI/BI, B, BI) with weights (CO/BO, CI/BI, BO, BI)."""
    if len(data.shape) != 4 or len(weight.shape) != 4:
        raise topi.InvalidShapeError()
    if bias is not None:
        raise ValueError("a packed dense layer takes its bias as an addition after it")
    require_blocks(data, weight)
    out_dtype = out_dtype or get_env().acc_dtype
    batches, channels, batch, block_in = get_const_tuple(data.shape)
    filters, _, block_out, _ = get_const_tuple(weight.shape)
    reduced = te.reduce_axis((0, channels), name="k_o")
    reduced_in = te.reduce_axis((0, block_in), name="k_i")
    shape = (batches, filters, batch, block_out)
    result = te.compute(
        shape,
        lambda n, c, ni, ci: te.sum(
            data[n, reduced, ni, reduced_in].astype(out_dtype)
            * weight[c, reduced, ci, reduced_in].astype(out_dtype),
            axis=[reduced, reduced_in],
        ),
        name="res",
        tag=_TAG,
    )
    cfg.add_flop(2 * math.prod(shape) * channels * block_in)
    return result


@autotvm.register_topi_schedule(NAME)
def schedule_dense_packed(cfg, outs):
    """Schedule it with what is fused to it."""
    env = get_env()
    fused = analyse(outs, _TAG)
    require_requantised(fused)
    output, dense = fused.output, fused.core
    s = te.create_schedule(output.op)
    rows, columns, _, _ = s[dense].op.axis
    reduced = s[dense].op.reduce_axis[0]
    for name, axis in (("tile_b", rows), ("tile_ci", reduced), ("tile_co", columns)):
        cfg.define_split(name, axis, num_outputs=2)
    cfg.define_knob("oc_nthread", [1, 2])

    data, weight = dense.op.input_tensors
    loaded = s.cache_read(data, env.inp_scope, [dense])
    weights = s.cache_read(weight, env.wgt_scope, [dense])
    s[dense].set_scope(env.acc_scope)
    operands = [s.cache_read(tensor, env.acc_scope, [consumer]) for consumer, tensor in fused.inputs]
    for op in fused.ewise:
        s[op].set_scope(env.acc_scope)
        s[op].pragma(s[op].op.axis[0], env.alu)
    for op in (*fused.constants, *fused.casts):
        s[op].compute_inline()

    row, column, row_in, column_in = s[output].op.axis
    column_out, column_tile = cfg["tile_co"].apply(s, output, column)
    row_out, row_tile = cfg["tile_b"].apply(s, output, row)
    s[output].reorder(row_out, column_out, row_tile, column_tile, row_in, column_in)
    for stage in (dense, *(op.output(0) for op in fused.ewise), *operands):
        s[stage].compute_at(s[output], column_out)
    for operand in operands:
        s[operand].pragma(s[operand].op.axis[0], env.dma_copy)
    virtual_threads(s, output, row_out, column_out, cfg["oc_nthread"].val)

    row, column, row_in, column_in = s[dense].op.axis
    reduced, reduced_in = s[dense].op.reduce_axis
    s[dense].reorder(row, reduced, column, row_in, column_in, reduced_in)
    reduced_out, _ = cfg["tile_ci"].apply(s, dense, reduced)
    # Outermost, so that several rows of batches share what is loaded.
    s[dense].reorder(reduced_out, row)
    for stage in (loaded, weights):
        s[stage].compute_at(s[dense], reduced_out)
        s[stage].pragma(s[stage].op.axis[0], env.dma_copy)
    s[dense].tensorize(row_in, env.gemm)
    s[output].pragma(row_tile, env.dma_copy)
    return s
