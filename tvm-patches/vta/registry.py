"""What TVM must know of the accelerator: its memories, and the operators that kernels call.

Importing this module registers them. Everything asks for the current environment when TVM asks, so one
process compiles for any number of geometries.
"""

import tvm
from tvm.ir import register_intrin_lowering, register_op_attr
from tvm.tir import CallEffectKind

from vta.environment import Environment, get_env


def _memory(scope: str, buffer: str):
    def info():
        env = get_env()
        bits = getattr(env, f"{buffer}_ELEM_BITS")
        return tvm.ir.make_node(
            "MemoryInfo",
            unit_bits=bits,
            max_simd_bits=bits,
            max_num_bits=getattr(env, f"{buffer}_BUFF_SIZE") * 8,
            head_address=None,
        )

    tvm.register_func(f"tvm.info.mem.{scope}", info, override=True)


_memory(Environment.inp_scope, "INP")
_memory(Environment.wgt_scope, "WGT")
_memory(Environment.acc_scope, "ACC")

for _name in ("coproc_sync", "coproc_dep_push", "coproc_dep_pop", "uop_push", "command_handle"):
    register_op_attr(f"tir.vta.{_name}", "TCallEffectKind", CallEffectKind.Opaque)
register_op_attr("tir.vta.uop_push", "TGlobalSymbol", "VTAUopPush")
register_op_attr("tir.vta.command_handle", "TGlobalSymbol", "VTATLSCommandHandle")

#: How long `VTASynchronize` polls; a simulator doesn't.
_WAIT_CYCLES = 1 << 31


@register_intrin_lowering("tir.vta.coproc_sync", "default")
def _sync(_):
    wait = tvm.tir.const(_WAIT_CYCLES, "uint32")
    return tvm.tir.call_extern("int32", "VTASynchronize", get_env().dev.command_handle, wait)


def _token(name: str, function: str) -> None:
    register_intrin_lowering(
        f"tir.vta.{name}",
        "default",
        f=lambda call: tvm.tir.call_extern("int32", function, get_env().dev.command_handle, *call.args[:2]),
    )


_token("coproc_dep_push", "VTADepPush")
_token("coproc_dep_pop", "VTADepPop")
