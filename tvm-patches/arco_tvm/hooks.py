"""What a target needs around TVM's compiler, given by the package that brings the target.

An accelerator's compiler layer (VTA's, say) registers its hooks when it is imported; a server imports it with
`--import`. A CPU or GPU needs none.
"""

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import tvm
from tvm.target import Target

from arco_tvm.models import Model


def _opt_level_3() -> AbstractContextManager:
    return tvm.transform.PassContext(opt_level=3)


@dataclass(frozen=True)
class Hooks:
    """Functions that are called at a few places.

    `prepare_model` before tasks are extracted and before the network is compiled (quantise it, pack its
    layouts); `candidate_context` around the lowering and code generation of one candidate; `network_context`
    around `relay.build`. Both contexts are pass contexts, made anew for each use.

    `scope` is around all of these and around a template's instantiation: what the package must know of the
    target (a geometry, say). `is_task` says which of the templates that a network asks for are worth tuning.
    `prepare_device` is called with a session (None for this process) before a network runs there. `reference`
    gives the model that a prepared one must equal on the CPU, where there is one, compiled for
    `reference_target`: bit for bit, or within `reference_tolerance` of the largest output.
    `one_run_is_enough` where the device's time is computed and not measured.
    `layers` runs a compiled network one operator at a time and says what each takes.
    `without_code` turns a lowered candidate into a file that the device runs as it is (its ending and its
    bytes), or returns None: then code is generated.
    """

    prepare_model: Callable[[Model], Model] = lambda model: model
    candidate_context: Callable[[], AbstractContextManager] = nullcontext
    network_context: Callable[[], AbstractContextManager] = _opt_level_3
    scope: Callable[[Target], AbstractContextManager] = lambda target: nullcontext()
    is_task: Callable[[str], bool] = lambda name: True
    prepare_device: Callable[[Any, Target], None] = lambda session, target: None
    reference: Callable[[Model], Model | None] = lambda model: None
    reference_target: str = "llvm"
    reference_tolerance: float = 0.0
    one_run_is_enough: bool = False
    layers: Callable[..., list[dict[str, Any]]] | None = None
    without_code: Callable[[tvm.IRModule], tuple[str, bytes] | None] = lambda lowered: None


#: A driver's compiler can be wrong, too: a GPU's network is held against the CPU's. Sums of float32 in
#: another order differ by some 1e-6 of the largest output, and Winograd's by a few times that.
_GPU = Hooks(reference=lambda model: model, reference_tolerance=1e-4)

_hooks: dict[str, Hooks] = {"gpu": _GPU}
#: Packages that bring a target: the first word of its short name and the key that it has -> the package.
_PACKAGES = {"vta": "vta"}


def register(key: str, hooks: Hooks) -> None:
    """Set the hooks of all targets that have `key` among their keys."""
    _hooks[key] = hooks


def unregister(key: str) -> None:
    """Forget the hooks of a key."""
    _hooks.pop(key, None)


def expand(text: str) -> str:
    """A target string with a short name (`vta`, `vta:pynq`) written out by the package that brings it."""
    name, _, rest = text.strip().partition(":")
    words = name.split()
    if len(words) != 1 or words[0] not in _PACKAGES:
        return text
    return importlib.import_module(_PACKAGES[words[0]]).target_string(rest)


def of(target: Target) -> Hooks:
    """The hooks of a target: those of the first of its keys that has any, after importing its package."""
    for key in target.keys:
        if str(key) in _PACKAGES and str(key) not in _hooks:
            importlib.import_module(_PACKAGES[str(key)])
    return next((_hooks[str(key)] for key in target.keys if str(key) in _hooks), Hooks())
