"""Elementwise operators that run on the vector unit alone: `add.vta`, `multiply.vta`."""

from tvm import autotvm, te, topi

from vta.environment import get_env
from vta.top.fusion import Fused, analyse

ADD, MULTIPLY = "add.vta", "multiply.vta"
#: Where these operators run on the accelerator; elsewhere the hardware could not load int8 into accumulators,
#: and they stay on the host.
ALU_TARGETS = ("sim", "intelfocl")


@autotvm.register_topi_compute(ADD)
def add_packed(cfg, lhs, rhs):
    """Add."""
    return topi.add(lhs, rhs)


@autotvm.register_topi_compute(MULTIPLY)
def multiply_packed(cfg, lhs, rhs):
    """Multiply."""
    return topi.multiply(lhs, rhs)


@autotvm.register_topi_schedule(ADD)
def schedule_add_packed(cfg, outs):
    """Schedule a kernel around an addition."""
    return schedule_alu_packed(cfg, outs)


@autotvm.register_topi_schedule(MULTIPLY)
def schedule_multiply_packed(cfg, outs):
    """Schedule a kernel around a multiplication."""
    return schedule_alu_packed(cfg, outs)


def on_host(outs) -> te.Schedule:
    """The schedule of a kernel that the host runs."""
    return topi.x86.schedule_injective(outs)


def runs_on_alu(fused: Fused) -> bool:
    """Whether the vector unit can run a kernel: packed, in accumulators, cast to the output's type."""
    env, output = get_env(), fused.output
    if len(output.shape) != 6 or output.dtype != env.out_dtype:
        return False
    stages = [*fused.ewise, output.op]
    return bool(fused.ewise) and all(_expressible(op, op.same_as(output.op)) for op in stages)


def _expressible(op: te.ComputeOp, last: bool) -> bool:
    env = get_env()
    dtype = op.output(0).dtype
    wanted = env.out_dtype if last else env.acc_dtype
    return len(op.axis) == 6 and dtype == wanted


def schedule_alu_packed(cfg, outs) -> te.Schedule:
    """Load operands into accumulators, compute in place, store: tiles of channels, rows and columns."""
    env = get_env()
    if env.TARGET not in ALU_TARGETS:
        return on_host(outs)
    fused = analyse(outs, None)
    if not runs_on_alu(fused):
        return on_host(outs)
    output = fused.output
    s = te.create_schedule(output.op)
    _, channel, row, column, _, _ = s[output].op.axis
    for name, axis in (("tile_co", channel), ("tile_h", row), ("tile_w", column)):
        cfg.define_split(name, axis, num_outputs=2)

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
    for stage in (*(op.output(0) for op in fused.ewise), *operands):
        s[stage].compute_at(s[output], column_out)
    for operand in operands:
        s[operand].pragma(s[operand].op.axis[0], env.dma_copy)
    s[output].pragma(channel_tile, env.dma_copy)
    return s
