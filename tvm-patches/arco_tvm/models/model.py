"""A model as everything else here takes it: a Relay module, its parameters, and what its inputs look like."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import tvm
from tvm import relay

from arco_tvm.errors import ArcoError


@dataclass
class Model:
    """A Relay module with its parameters.

    `constants_matter` says whether the parameters' values may steer the compiler: true for imported files (a
    shape may be a parameter), false for the built-in networks, whose tasks can be found without weights.
    """

    name: str
    mod: tvm.IRModule
    make_params: Callable[[], dict[str, Any]]
    constants_matter: bool = True
    _params: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def params(self) -> dict[str, Any]:
        """Parameters by name, made on first use (VGG's take seconds and half a gigabyte)."""
        if self._params is None:
            self._params = self.make_params()
        return self._params

    def inputs(self) -> dict[str, dict[str, Any]]:
        """What the model is fed: name -> {"shape": [...], "dtype": ...}, in the order of the main function.

        # Errors
        "dynamic-shape" if a dimension is unknown: AutoTVM's templates need numbers.
        """
        mod = relay.transform.InferType()(self.mod)
        fed = {}
        for var in mod["main"].params:
            if self.constants_matter and var.name_hint in self.params:
                continue
            if not self.constants_matter and var.name_hint != "data":
                continue
            kind = var.checked_type
            if not isinstance(kind, relay.TensorType):
                raise ArcoError("bad-model", f"input {var.name_hint} is a {kind}, not a tensor")
            if any(not isinstance(dim, tvm.tir.IntImm) for dim in kind.shape):
                raise ArcoError(
                    "dynamic-shape",
                    f"input {var.name_hint} has shape {list(kind.shape)}: not all dimensions are known",
                    f"give its shape, for example --input-shape {var.name_hint}=1,3,224,224",
                )
            fed[var.name_hint] = {"shape": [int(dim) for dim in kind.shape], "dtype": str(kind.dtype)}
        return fed
