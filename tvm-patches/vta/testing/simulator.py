"""The simulator in this process: counters, time, what is simulated.

Importing this module loads it. Where the library isn't there, `enabled()` says so.
"""

import ctypes
import json

import tvm

from arco_tvm import library
from arco_tvm.errors import ArcoError


def _load() -> bool:
    try:
        library.load()
    except ArcoError:
        return False
    # Compiled kernels look for VTA* among the global symbols of the process.
    found = next(path for path in library.candidates() if path.is_file())
    ctypes.CDLL(str(found), ctypes.RTLD_GLOBAL)
    return True


_ENABLED = _load()


def enabled() -> bool:
    """Whether this process has the simulator."""
    return _ENABLED


def clear_stats() -> None:
    """Set all counters, and the cycles, to zero."""
    tvm.get_global_func("vta.simulator.profiler_clear")()


def stats() -> dict[str, int]:
    """The counters by name (bytes loaded and stored, operations), and `cycle_count` where time is kept."""
    return json.loads(tvm.get_global_func("vta.simulator.profiler_status")())


def debug_mode(flag: int) -> None:
    """Set debug flags: 1 counts without computing."""
    tvm.get_global_func("vta.simulator.profiler_debug_mode")(flag)


def configure(env=None) -> str:
    """Give the simulator the geometry of an environment, by default the current one; returns its model."""
    from vta.environment import get_env

    return str(tvm.get_global_func("arco.vta.set_config")((env or get_env()).MODEL))


def mode(name: str | None = None) -> str:
    """What is simulated: `full`, `timing` or `functional`; sets it if a name is given."""
    if name is not None:
        tvm.get_global_func("arco.vta.set_mode")(name)
    return str(tvm.get_global_func("arco.vta.mode")())


def tsim_init(hw_library: str) -> None:
    """Refused: there is no compiled RTL to load. The simulator keeps the RTL's time by itself.

    # Errors
    RuntimeError, always.
    """
    raise RuntimeError(f"no RTL library to load ({hw_library}): stats()['cycle_count'] has the RTL's cycles")
