"""Running a test on the device that the environment asks for."""

import os
from collections.abc import Callable
from typing import Any

from tvm import rpc

from vta.environment import get_env
from vta.rpc_client import reconfig_runtime
from vta.testing import simulator


def run(run_func: Callable[[Any, Any], Any]) -> Any:
    """Call `run_func(env, remote)` with a device that has the current environment's geometry.

    With `VTA_RPC_HOST` (and `VTA_RPC_PORT`, by default 9091) that is the server there; else the simulator of
    this process in a local session.

    # Errors
    RuntimeError if there is neither.
    """
    env = get_env()
    host = os.environ.get("VTA_RPC_HOST")
    if host:
        remote = rpc.connect(host, int(os.environ.get("VTA_RPC_PORT", "9091")))
        reconfig_runtime(remote)
        return run_func(env, remote)
    if not simulator.enabled():
        raise RuntimeError(
            "no simulator: build libarco_tvm.so, set ARCO_TVM_LIBRARY to it, or set VTA_RPC_HOST"
        )
    simulator.configure(env)
    return run_func(env, rpc.LocalSession())
