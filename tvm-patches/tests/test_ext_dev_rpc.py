"""VTA as TVM's device `ext_dev` of a server that only loads the library."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tvm
from tvm import rpc
from vta_support import GEOMETRIES, Operands


class _TvmServer:
    """`python -m tvm.exec.rpc_server`, which leaves its children behind unless its process group is ended."""

    def __init__(self, native: ctypes.CDLL):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = ["--host", "127.0.0.1", "--port", str(self.port), "--port-end", str(self.port + 1)]
        command = [sys.executable, "-m", "tvm.exec.rpc_server", *command, "--load-library", native._name]
        self._process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)

    def end(self):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _connect(port: int, seconds: float = 60):
    end = time.monotonic() + seconds
    while True:
        try:
            return rpc.connect("127.0.0.1", port, session_timeout=120)
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@pytest.fixture(params=["tvm", "arco"])
def remote(request, native, serve):
    """A session of TVM's own server, and of ours; both only load the library."""
    if request.param == "arco":
        yield _connect(serve("device", "--port", "9600", "--quiet", "--load-library", native._name).port)
        return
    server = _TvmServer(native)
    yield _connect(server.port)
    server.end()


def test_a_server_that_loads_the_library_offers_the_accelerator(remote, kernel):
    device = remote.ext_dev(0)
    assert device.exist
    remote.upload(str(kernel))
    module = remote.load_module(kernel.name)
    for geometry in GEOMETRIES[:2]:
        assert remote.get_function("tvm.contrib.vta.reconfig_runtime")(geometry).endswith(geometry)
        operands = Operands(json.loads(remote.get_function("arco.vta.config")()))
        arrays = operands.on(device)
        remote.get_function("vta.simulator.profiler_clear")()
        module["gemm"](*arrays)
        np.testing.assert_array_equal(arrays[2].numpy(), operands.expected)
        cycles = json.loads(remote.get_function("vta.simulator.profiler_status")())["cycle_count"]
        results = module.time_evaluator("gemm", device, number=1, repeat=3)(*arrays).results
        np.testing.assert_allclose(results, [cycles * 1e-8] * 3, rtol=1e-12)
        with pytest.raises(tvm.TVMError, match="waits for store->compute"):
            module.time_evaluator("deadlock", device, number=1)(*arrays)
        module["gemm"](*arrays)
        np.testing.assert_array_equal(arrays[2].numpy(), operands.expected)
