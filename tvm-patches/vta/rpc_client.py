"""What a client tells a remote device about the accelerator."""

import json

from vta.environment import get_env

_SIMULATED = (
    "the device behind this session is a simulator: there is no FPGA to program, no bitstream to load. "
    "vta.reconfig_runtime(remote) gives it the current environment's geometry"
)


def reconfig_runtime(remote) -> str:
    """Give the remote device the geometry of the current environment; returns its model.

    A session begins with the default geometry, so every client calls this once. It costs a round trip:
    nothing is compiled.
    """
    function = remote.get_function("tvm.contrib.vta.reconfig_runtime")
    return str(function(json.dumps(get_env().cfg_dict)))


def program_fpga(remote, bitstream: str | None = None) -> None:
    """Refused: see the message.

    # Errors
    RuntimeError, always.
    """
    raise RuntimeError(_SIMULATED)


def get_bitstream_path() -> str:
    """Refused, as `program_fpga` is.

    # Errors
    RuntimeError, always.
    """
    raise RuntimeError(_SIMULATED)
