"""Strategies for the target key `vta`: which implementation Relay takes for an operator."""

import tvm
from tvm import topi
from tvm.relay.op import op as registry
from tvm.relay.op import strategy as relay_strategy
from tvm.relay.op.op import OpPattern, OpStrategy
from tvm.topi.utils import get_const_tuple

from vta.environment import get_env
from vta.top import alu
from vta.top.template import clip
from vta.top.utils import is_packed_layout
from vta.top.vta_conv2d import conv2d_packed, schedule_conv2d_packed
from vta.top.vta_conv2d_transpose import conv2d_transpose_packed, schedule_conv2d_transpose_packed
from vta.top.vta_dense import dense_packed, schedule_dense_packed
from vta.top.vta_group_conv2d import group_conv2d_packed, schedule_group_conv2d_packed

_KEY = "vta"
_LEVEL = 15
_generic = relay_strategy.generic

# A copy ends a kernel: graph_pack puts one after a cast, so that what follows is another kernel's.
registry.register_pattern("copy", OpPattern.INJECTIVE, level=_LEVEL)


def _single(compute, schedule, name: str) -> OpStrategy:
    strategy = OpStrategy()
    strategy.add_implementation(compute, schedule, name=name)
    return strategy


def _host(target: tvm.target.Target) -> tvm.target.Target:
    return tvm.target.arm_cpu(str(target.model))


def _require_no_dilation(attrs) -> None:
    dilation = get_const_tuple(attrs.dilation)
    if dilation != (1, 1):
        raise ValueError(f"the accelerator has no dilated convolution, dilation is {dilation}")


def _require_int8(kernel) -> None:
    env = get_env()
    if (env.INP_WIDTH, env.WGT_WIDTH) != (8, 8) or kernel.dtype != "int8":
        raise ValueError(
            f"convolutions have int8 data and weights; {env.MODEL} has {env.inp_dtype} and {env.wgt_dtype}, "
            f"the kernel is {kernel.dtype}"
        )


@relay_strategy.conv2d_strategy.register(_KEY)
def conv2d_strategy_vta(attrs, inputs, out_type, target):
    """Packed convolutions on the accelerator, others on the host."""
    if not is_packed_layout(attrs.data_layout):
        return relay_strategy.arm_cpu.conv2d_strategy_arm_cpu(attrs, inputs, out_type, _host(target))
    _require_no_dilation(attrs)
    _require_int8(inputs[1])
    if attrs.groups == 1:
        return _single(
            _generic.wrap_compute_conv2d(conv2d_packed, need_data_layout=True),
            _generic.wrap_topi_schedule(schedule_conv2d_packed),
            "conv2d_packed.vta",
        )
    return _single(
        _generic.wrap_compute_conv2d(group_conv2d_packed, has_groups=True),
        _generic.wrap_topi_schedule(schedule_group_conv2d_packed),
        "group_conv2d_packed.vta",
    )


@relay_strategy.conv2d_transpose_strategy.register(_KEY)
def conv2d_transpose_strategy_vta(attrs, inputs, out_type, target):
    """Packed transposed convolutions on the accelerator, others on the host."""
    if not is_packed_layout(attrs.data_layout):
        return relay_strategy.arm_cpu.conv2d_transpose_strategy_arm_cpu(
            attrs, inputs, out_type, _host(target)
        )
    _require_no_dilation(attrs)
    return _single(
        _generic.wrap_compute_conv2d_transpose(conv2d_transpose_packed),
        _generic.wrap_topi_schedule(schedule_conv2d_transpose_packed),
        "conv2d_transpose_packed.vta",
    )


@relay_strategy.dense_strategy.register(_KEY)
def dense_strategy_vta(attrs, inputs, out_type, target):
    """Packed dense layers (four dimensions) on the accelerator, others on the host."""
    if len(inputs[0].shape) != 4:
        return relay_strategy.x86.dense_strategy_cpu(attrs, inputs, out_type, tvm.target.Target("llvm"))
    return _single(
        _generic.wrap_compute_dense(dense_packed),
        _generic.wrap_topi_schedule(schedule_dense_packed),
        "dense_packed.vta",
    )


def clip_strategy_vta(attrs, inputs, out_type, target):
    """Clip in two stages, so that it can be fused to what runs on the accelerator."""

    def compute(attrs, inputs, output_type):
        return [clip(inputs[0], attrs.a_min, attrs.a_max)]

    return _single(compute, _generic.wrap_topi_schedule(alu.on_host), "clip.vta")


def _elementwise_strategy(compute, schedule, fallback, name: str):
    def strategy(attrs, inputs, out_type, target):
        packed = len(out_type.shape) == 6 and all(str(tensor.dtype).startswith("int") for tensor in inputs)
        if packed and get_env().TARGET in alu.ALU_TARGETS:
            return _single(
                lambda attrs, inputs, output_type: [compute(*inputs)],
                _generic.wrap_topi_schedule(schedule),
                f"{name}.vta",
            )
        return _single(
            lambda attrs, inputs, output_type: [fallback(*inputs)],
            _generic.wrap_topi_schedule(alu.on_host),
            f"{name}.generic",
        )

    return strategy


def _register(name: str, strategy) -> None:
    registry.get(name).get_attr("FTVMStrategy").register(strategy, _KEY)


_register("clip", clip_strategy_vta)
_register("add", _elementwise_strategy(alu.add_packed, alu.schedule_add_packed, topi.add, "add"))
_register(
    "multiply",
    _elementwise_strategy(alu.multiply_packed, alu.schedule_multiply_packed, topi.multiply, "multiply"),
)
