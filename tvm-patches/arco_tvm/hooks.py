"""What a target needs around TVM's compiler, given by the package that brings the target.

An accelerator's compiler layer (VTA's, say) registers its hooks when it is imported; a server imports it with
`--import`. A CPU or GPU needs none.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import tvm
from tvm.target import Target

from arco_tvm.models import Model


def _opt_level_3() -> AbstractContextManager:
    return tvm.transform.PassContext(opt_level=3)


@dataclass(frozen=True)
class Hooks:
    """Functions that are called at three places.

    `prepare_model` before tasks are extracted and before the network is compiled (quantise it, pack its
    layouts); `candidate_context` around the lowering and code generation of one candidate; `network_context`
    around `relay.build`. Both contexts are pass contexts, made anew for each use.
    """

    prepare_model: Callable[[Model], Model] = lambda model: model
    candidate_context: Callable[[], AbstractContextManager] = nullcontext
    network_context: Callable[[], AbstractContextManager] = _opt_level_3


_hooks: dict[str, Hooks] = {}


def register(key: str, hooks: Hooks) -> None:
    """Set the hooks of all targets that have `key` among their keys."""
    _hooks[key] = hooks


def unregister(key: str) -> None:
    """Forget the hooks of a key."""
    _hooks.pop(key, None)


def of(target: Target) -> Hooks:
    """The hooks of a target: those of the first of its keys that has any."""
    return next((_hooks[str(key)] for key in target.keys if str(key) in _hooks), Hooks())
