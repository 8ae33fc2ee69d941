"""The accelerator behind RPC: geometry, AutoTVM's loader, the server's own program."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tvm
from test_kernels import matrix_product, products
from test_kernels import operands as operands_of
from tvm import rpc
from tvm.autotvm.measure.measure_methods import BuildResult

import vta

OTHER = "2x16_i8w8a32_15_16_18_18"


@pytest.fixture
def port(tmp_path):
    """A server of the package's own program, which begins with another geometry than the default."""
    command = [sys.executable, "-m", "vta.exec.rpc_server", "--port", "9700", "--config", OTHER]
    environment = {**os.environ, "PYTHONPATH": str(Path(vta.__file__).parents[1])}
    with open(tmp_path / "stderr", "w") as stderr:
        server = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, env=environment, text=True, start_new_session=True
        )
    line = server.stdout.readline()
    assert line, (tmp_path / "stderr").read_text()
    yield json.loads(line)["port"]
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(20)


def model(remote) -> str:
    return remote.ext_dev(0).device_name


def test_a_session_has_the_servers_geometry_until_the_client_sets_its_own(port, tmp_path):
    remote = rpc.connect("127.0.0.1", port)
    assert model(remote) == OTHER
    env = vta.get_env()
    assert vta.reconfig_runtime(remote) == env.MODEL
    assert model(remote) == env.BITSTREAM
    with pytest.raises(RuntimeError, match="no FPGA to program"):
        vta.program_fpga(remote)

    schedule, args = matrix_product(env)
    module = vta.build(schedule, args, tvm.target.Target(env.target, host=env.target_host), name="kernel")
    path = tmp_path / "kernel.so"
    module.export_library(str(path))
    built = BuildResult(str(path), args, None, 0.0)
    del remote
    # As AutoTVM's runner does it: a new session, which begins with the server's geometry again.
    loader = vta.module_loader()
    with _Connecting(port), loader({}, built) as (remote, kernel):
        assert model(remote) == env.BITSTREAM
        device = remote.ext_dev(0)
        arrays = [tvm.nd.array(operand, device) for operand in operands_of(args)]
        out = tvm.nd.empty([int(e) for e in args[2].shape], "int8", device)
        kernel["kernel"](*arrays, out)
        np.testing.assert_array_equal(out.numpy(), products(*operands_of(args)).astype("int8"))


class _Connecting:
    """AutoTVM's `request_remote`, which wants a tracker, connects to a server inside."""

    def __init__(self, port: int):
        self.port = port

    def __enter__(self):
        from tvm.autotvm.measure import measure_methods

        self.module, self.original = measure_methods, measure_methods.request_remote
        measure_methods.request_remote = lambda **_: rpc.connect("127.0.0.1", self.port)

    def __exit__(self, *_):
        self.module.request_remote = self.original


def test_a_geometry_that_is_none_keeps_the_server_from_starting():
    command = [sys.executable, "-m", "vta.exec.rpc_server", "--config", "1x3"]
    environment = {**os.environ, "PYTHONPATH": str(Path(vta.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 1
    assert "is not a geometry name" in done.stderr
