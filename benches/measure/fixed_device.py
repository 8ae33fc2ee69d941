"""A device that shares no cores with whoever builds: a measurement takes a fixed time, and no kernel is run.

A device server imports it (`python -m arco_tvm.serve device --import fixed_device`). Sessions, uploads,
arguments and the protocol are the real thing; a library is neither linked nor loaded, as that would cost this
machine's cores what it costs a board's own. `FIXED_DEVICE_S` seconds are slept for each measurement, whatever
the number of runs.
"""

import os
import struct
import time

import tvm
from tvm import te
from tvm.rpc import server

_SECONDS = float(os.environ["FIXED_DEVICE_S"])


def _some_module() -> tvm.runtime.Module:
    tensor = te.placeholder((1,), name="tensor")
    result = te.compute((1,), lambda i: tensor[i] + 1.0)
    return tvm.build(te.create_schedule(result.op), [tensor, result], "llvm", name="default_function")


_MODULE = _some_module()
_tvm_server_env = server._server_env


def _load_module(path: str) -> tvm.runtime.Module:
    """What the server answers to `LoadRemoteModule`, whatever was uploaded."""
    return _MODULE


def _time_evaluator(module, name, device_type, device_id, number, repeat, *options):
    """What the server answers to `runtime.RPCTimeEvaluator`: a function that takes a fixed time."""
    runs, repeat = 1 + int(number) * int(repeat), int(repeat)

    def evaluate(*arguments):
        time.sleep(_SECONDS)
        return bytearray(struct.pack(f"@{repeat}d", *[_SECONDS / runs] * repeat))

    return tvm.runtime.convert(evaluate)


def _server_env(*arguments):
    """TVM registers a session's own functions when it begins; ours must come after those."""
    made = _tvm_server_env(*arguments)
    tvm.register_func("tvm.rpc.server.load_module", _load_module, override=True)
    return made


tvm.register_func("runtime.RPCTimeEvaluator", _time_evaluator, override=True)
server._server_env = _server_env
