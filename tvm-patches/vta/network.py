"""Networks for the accelerator: quantise, pack, compile."""

from contextlib import AbstractContextManager

import tvm
from tvm import relay

from vta.build_module import build_config
from vta.environment import get_env
from vta.top import graph_pack

#: The scale of quantisation: a power of two, so that requantising is a shift.
GLOBAL_SCALE = 8.0
#: The first convolution has too few channels for the accelerator; it stays in floating point on the host.
SKIPPED_CONVOLUTIONS = (0,)


def quantise(mod: tvm.IRModule, params: dict | None = None) -> tvm.IRModule:
    """A network in int8, by Relay's own quantisation; one that has int8 convolutions already stays as it is.

    Parameters become constants.
    """
    if is_quantised(mod):
        return mod if not params else _bound(mod, params)
    with (
        tvm.transform.PassContext(opt_level=3),
        relay.quantize.qconfig(global_scale=GLOBAL_SCALE, skip_conv_layers=list(SKIPPED_CONVOLUTIONS)),
    ):
        return relay.quantize.quantize(mod, params=params)


def pack(mod: tvm.IRModule) -> tvm.IRModule:
    """A quantised network in the layouts of the current environment.

    # Errors
    ValueError if nothing in it can run on the accelerator.
    """
    env = get_env()
    if env.BLOCK_IN != env.BLOCK_OUT:
        raise ValueError(
            f"a network for {env.MODEL} would need each layer's output packed anew: "
            f"blocks of {env.BLOCK_IN} in and {env.BLOCK_OUT} out differ"
        )
    batch = _batch(mod)
    if batch is not None and batch % env.BATCH:
        raise ValueError(
            f"a batch of {batch} does not fill {env.MODEL}, whose elements have {env.BATCH} rows"
        )
    packed = graph_pack(mod["main"], env.BATCH, env.BLOCK_OUT, env.WGT_WIDTH, start_name=None, stop_name=None)
    return tvm.IRModule.from_expr(packed)


def context(opt_level: int = 3) -> AbstractContextManager:
    """The pass context in which a packed network is compiled."""
    # The layouts are chosen: nothing may alter them.
    return build_config(opt_level=opt_level, disabled_pass={"AlterOpLayout"})


def is_quantised(mod: tvm.IRModule) -> bool:
    """Whether a network has convolutions of int8."""
    typed = relay.transform.InferType()(mod)
    found = False

    def look(expr: relay.Expr) -> None:
        nonlocal found
        if isinstance(expr, relay.Call) and isinstance(expr.op, tvm.ir.Op):
            convolution = expr.op.name in ("nn.conv2d", "nn.conv2d_transpose")
            found |= convolution and expr.args[0].checked_type.dtype == "int8"

    relay.analysis.post_order_visit(typed["main"], look)
    return found


def _bound(mod: tvm.IRModule, params: dict) -> tvm.IRModule:
    bound = relay.build_module.bind_params_by_name(mod["main"], params)
    return relay.transform.FoldConstant()(tvm.IRModule.from_expr(bound))


def _batch(mod: tvm.IRModule) -> int | None:
    typed = relay.transform.InferType()(mod)
    shapes = [param.checked_type.shape for param in typed["main"].params]
    return int(shapes[0][0]) if shapes and shapes[0] else None
