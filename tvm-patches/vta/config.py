"""Geometries: what a `vta_config.json` says, checked and completed by the one place that knows the rules.

That place is `libarco_tvm.so` (Rust, `arco_tvm::vta::config`): compiler, simulator and search agree on what a
geometry is because they ask the same code.
"""

import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tvm

from arco_tvm import library

#: The preset that everything starts with.
DEFAULT = "sim"


class VTAConfigError(ValueError):
    """A configuration that is none, or breaks a rule of the hardware; the text lists what and why."""


def describe(config: str | Mapping[str, Any]) -> dict[str, Any]:
    """Check a configuration and derive what follows from it.

    `config` is the content of a `vta_config.json` (a dictionary or its text), a preset (`pynq`), a geometry's
    name (`1x16_i8w8a32_15_15_18_17`) or a model (`sim_1x16_...`). The answer has `config` (every field,
    derived ones included), `name` and `model`.

    # Errors
    VTAConfigError with the violated rules; ArcoError "no-library" if `libarco_tvm.so` isn't found.
    """
    text = config if isinstance(config, str) else json.dumps(dict(config))
    about = json.loads(_describe(text))
    if not isinstance(config, str):
        # Fields that mean nothing to us are kept: scripts may look at them.
        about["config"] = {**dict(config), **about["config"]}
    return about


@functools.lru_cache(maxsize=256)
def _describe(text: str) -> str:
    library.load()
    try:
        return str(tvm.get_global_func("arco.vta.describe")(text))
    except ValueError as exc:
        raise VTAConfigError(_first_line(exc)) from exc


def default() -> dict[str, Any] | str:
    """The first environment: `$VTA_HW_PATH/config/vta_config.json` if there is one, else the preset."""
    root = os.environ.get("VTA_HW_PATH")
    path = Path(root, "config", "vta_config.json") if root else None
    return json.loads(path.read_text()) if path is not None and path.is_file() else DEFAULT


def _first_line(exc: Exception) -> str:
    # Across the C API the text comes with TVM's own trace in front.
    text = str(exc)
    _, found, message = text.rpartition("ValueError: ")
    return (message if found else text).strip()
