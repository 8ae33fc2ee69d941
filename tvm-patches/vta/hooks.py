"""What the rest of arco-tvm must do around TVM's compiler when the target is the accelerator."""

from typing import Any

import tvm
from tvm import rpc
from tvm.target import Target

from arco_tvm import hooks
from arco_tvm.errors import ArcoError
from arco_tvm.models import Model
from vta import network
from vta.build_module import build_config
from vta.environment import Environment, env_of
from vta.layers import layers
from vta.rpc_client import reconfig_runtime

#: The templates whose kernels use the matrix unit.
_TASKS = frozenset(f"{name}_packed.vta" for name in ("conv2d", "group_conv2d", "conv2d_transpose", "dense"))


def target_string(geometry: str = "") -> str:
    """The target that `vta` or `vta:GEOMETRY` stands for; a geometry is a preset, a name or a model.

    # Errors
    ArcoError "unknown-target" if there is no such geometry.
    """
    from vta.config import VTAConfigError
    from vta.environment import get_env

    try:
        env = Environment(geometry) if geometry else get_env()
    except VTAConfigError as exc:
        raise ArcoError(
            "unknown-target",
            f"vta:{geometry} names no geometry: {exc}",
            "name a preset (vta:pynq) or a geometry (vta:1x16_i8w8a32_15_15_18_17); vta alone is the default",
        ) from exc
    return str(env.target)


def prepare_model(model: Model) -> Model:
    """The model quantised and packed for the current environment.

    # Errors
    ArcoError "bad-model" if nothing in it can run on the accelerator, or it cannot be quantised.
    """
    try:
        return _constant(model, network.pack(_quantised(model)))
    except (ValueError, tvm.TVMError) as exc:
        raise ArcoError(
            "bad-model",
            f"{model.name} cannot be packed for the accelerator: {exc}",
            "a network needs convolutions after its first, and a batch that fills the geometry's elements",
        ) from exc


def reference(model: Model) -> Model:
    """The same quantised network for the CPU: what the accelerator must equal bit for bit."""
    return _constant(model, _quantised(model))


def prepare_device(session: rpc.RPCSession | None, target: Target) -> None:
    """Give the device the target's geometry."""
    with env_of(target) as env:
        if session is not None:
            reconfig_runtime(session)
        else:
            from vta.testing import simulator

            simulator.configure(env)


def without_code(lowered: tvm.IRModule) -> tuple[str, bytes] | None:
    """A kernel that the simulator runs as it is lowered: generating code takes longer than all the rest.

    None if the kernel does anything else than call the accelerator's runtime.
    """
    function = tvm.get_global_func("arco.vta.lowered", allow_missing=True)
    if function is None:
        return None
    try:
        return "vta", bytes(function(tvm.ir.save_json(lowered)))
    except ValueError:
        return None


_quantised_models: dict[int, tuple[Model, tvm.IRModule]] = {}


def _quantised(model: Model) -> tvm.IRModule:
    # `prepare_model` and `reference` need the same; quantising takes seconds.
    known = _quantised_models.get(id(model))
    if known is None or known[0] is not model:
        _quantised_models.clear()
        known = _quantised_models[id(model)] = (model, network.quantise(model.mod, model.params))
    return known[1]


def _constant(model: Model, mod: tvm.IRModule) -> Model:
    def no_params() -> dict[str, Any]:
        return {}

    return Model(model.name, mod, no_params)


hooks.register(
    "vta",
    hooks.Hooks(
        prepare_model=prepare_model,
        candidate_context=build_config,
        network_context=network.context,
        scope=env_of,
        is_task=_TASKS.__contains__,
        prepare_device=prepare_device,
        reference=reference,
        # Operators that stay on the host have these schedules there, too (vta.top.op).
        reference_target="llvm -keys=arm_cpu,cpu -device=arm_cpu",
        one_run_is_enough=True,
        layers=layers,
        without_code=without_code,
    ),
)
