"""A network's operators one by one: what each takes, where, and what bounds it."""

import json
import time
from typing import Any

import numpy as np
import tvm

_PREFIXES = ("tvmgen_default_fused_", "tvmgen_default_", "fused_")
#: Longest name of an operator's functions; a fused function names everything that is in it.
_LONGEST = 40


def layers(factory, library, device, fed: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Run a compiled network once, an operator at a time.

    `library` is the network's on `device`, here or behind RPC. One entry for each function that the network
    calls, in the order of its first call: `"name"`, `"shape"` of its output, `"uses"`, and either `"cycles"`,
    `"seconds"`, `"utilisation"`, `"bound_by"` of what ran on the accelerator (each by its use with the most
    cycles, `cycles` and `seconds` summed), or `"host_seconds"`, summed, measured on this machine.
    """
    graph = json.loads(factory.get_graph_json())
    session = getattr(device, "_rpc_sess", None)
    function = session.get_function if session is not None else tvm.get_global_func
    runner = _debug_executor(function, factory, library, device)
    clear, report = function("vta.simulator.profiler_clear"), function("arco.vta.time")
    for name, value in {**factory.get_params(), **fed}.items():
        runner["set_input"](name, tvm.nd.array(np.asarray(_numpy(value)), device))
    rows: dict[tuple[str, tuple], dict[str, Any]] = {}
    shapes = graph["attrs"]["shape"][1]
    for position, node in enumerate(graph["nodes"]):
        clear()
        begun = time.perf_counter()
        runner["execute_node"](position)
        device.sync()
        took = time.perf_counter() - begun
        if node["op"] != "tvm_op" or node["attrs"]["func_name"] == "__nop":
            continue
        shape = tuple(shapes[graph["node_row_ptr"][position]])
        row = rows.setdefault((node["attrs"]["func_name"], shape), {"uses": 0})
        row["uses"] += 1
        _add(row, json.loads(report()), took)
    return [{"name": _short(name), "shape": list(shape), **row} for (name, shape), row in rows.items()]


def _debug_executor(function, factory, library, device) -> tvm.runtime.Module:
    """TVM's executor that can run one node; the one of `graph_executor` cannot."""
    create = function("tvm.graph_executor_debug.create")
    kind = int(device.device_type) % tvm.rpc.base.RPC_SESS_MASK
    return create(factory.get_graph_json(), library, kind, int(device.device_id))


def _add(row: dict[str, Any], time_of: dict[str, Any], took: float) -> None:
    """Add one run of a function."""
    if not time_of["cycles"]:
        row["host_seconds"] = row.get("host_seconds", 0.0) + took
        return
    if time_of["cycles"] > row.get("_most", 0):
        row["_most"] = time_of["cycles"]
        row["utilisation"], row["bound_by"] = time_of["utilisation"], time_of["bound_by"]
    for name in ("cycles", "seconds"):
        row[name] = row.get(name, 0) + time_of[name]


def _numpy(value) -> np.ndarray:
    return value.numpy() if isinstance(value, tvm.nd.NDArray) else value


def _short(name: str) -> str:
    """A function's name without TVM's prefix and the hash that it gives long ones, cut."""
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."
