"""`vta.build_config`, `vta.lower` and `vta.build`: TVM's compiler with the accelerator's passes."""

from typing import Any

import tvm
from tvm import tir

from vta import registry, transform  # noqa: F401
from vta.environment import get_env

#: Passes of TVM that do harm here: common subexpressions would be taken out of micro-operation kernels, which
#: are compiled as functions of their own.
DISABLED_PASSES = ("tir.CommonSubexprElimTIR",)
_PASSES = "tir.add_lower_pass"


def early_rewrite() -> tvm.transform.Pass:
    """TVM's StorageRewrite, before virtual threads are injected; a program that it refuses stays as it is."""

    def run(mod, _ctx):
        try:
            return tir.transform.StorageRewrite()(mod)
        except tvm.TVMError:
            return mod

    return tvm.transform.module_pass(run, opt_level=0, name="tir.vta.EarlyRewrite")


#: The pass under its old name.
EarlyRewrite = early_rewrite


def lower_passes(debug_flag: int = 0) -> list[tuple[int, tvm.transform.Pass]]:
    """The passes, each with the phase of TVM's lowering that it belongs to."""
    passes = [
        (0, transform.InjectConv2DTransposeSkip()),
        (1, transform.InjectDMAIntrin()),
        (1, transform.InjectSkipCopy()),
        (1, transform.AnnotateALUCoProcScope()),
        (1, tir.transform.LiftAttrScope("coproc_uop_scope")),
        (1, transform.LiftAllocToScopeBegin()),
        (1, tir.transform.LiftAttrScope("coproc_scope")),
        (1, transform.InjectCoProcSync()),
        (1, early_rewrite()),
    ]
    if debug_flag:
        passes.append((1, _set_debug_mode(debug_flag)))
    return [
        *passes,
        (2, transform.InjectALUIntrin()),
        (3, tir.transform.LowerDeviceStorageAccessInfo()),
        (3, transform.FoldUopLoop()),
        (3, transform.CPUAccessRewrite()),
        (3, transform.CheckAfterSync()),
    ]


def build_config(debug_flag: int = 0, **kwargs: Any) -> tvm.transform.PassContext:
    """TVM's pass context for the accelerator.

    `debug_flag` is what kernels give to `VTASetDebugMode`. Other arguments are those of
    `tvm.transform.PassContext`; `config` may have further lowering passes, which run after ours.
    """
    config = dict(kwargs.pop("config", None) or {})
    config[_PASSES] = [*lower_passes(debug_flag), *config.get(_PASSES, [])]
    disabled = {*DISABLED_PASSES, *(kwargs.pop("disabled_pass", None) or ())}
    return tvm.transform.PassContext(config=config, disabled_pass=sorted(disabled), **kwargs)


def lower(*args: Any, **kwargs: Any) -> tvm.IRModule:
    """`tvm.lower`, in `build_config` unless the context has lowering passes already."""
    with _context():
        return tvm.lower(*args, **kwargs)


def build(*args: Any, **kwargs: Any) -> tvm.runtime.Module:
    """`tvm.build`, in `build_config` unless the context has lowering passes already."""
    with _context():
        return tvm.build(*args, **kwargs)


def _context() -> tvm.transform.PassContext:
    current = tvm.transform.PassContext.current()
    return current if current.config.get(_PASSES) else build_config()


def _set_debug_mode(flag: int) -> tvm.transform.Pass:
    def run(func: tir.PrimFunc, _mod, _ctx) -> tir.PrimFunc:
        call = tir.call_extern("int32", "VTASetDebugMode", get_env().dev.command_handle, flag)
        return func.with_body(tir.SeqStmt([tir.Evaluate(call), func.body]))

    return tir.transform.prim_func_pass(run, opt_level=0, name="tir.vta.SetDebugMode")
