"""OpenCL in a TVM that was built without it: what is compiled from the wheel's sources runs TVM's kernels."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PACKAGES = Path(__file__).resolve().parents[1]
_DRIVERS = Path("/etc/OpenCL/vendors")


def _run(code: str, **environment: str) -> str:
    """What a Python of its own prints, with this checkout's package: a device is never unloaded."""
    environment = {**os.environ, "PYTHONPATH": str(_PACKAGES), **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=600
    )
    return done.stdout + done.stderr


@pytest.fixture(autouse=True)
def driver():
    """These tests need an OpenCL driver; without one they fail unless that is wanted."""
    if _DRIVERS.is_dir() and any(_DRIVERS.iterdir()):
        return
    if os.environ.get("ARCO_TEST_WITHOUT_OPENCL"):
        pytest.skip("NOT TESTED: there is no OpenCL here")
    pytest.fail(
        "there is no OpenCL here (Debian: apt install pocl-opencl-icd ocl-icd-libopencl1); "
        "ARCO_TEST_WITHOUT_OPENCL=1 goes without"
    )


#: A network on a device of a target, exported and loaded again, against the CPU.
_NETWORK = """if True:
    import os, tempfile
    import numpy as np, tvm
    from tvm import relay
    from tvm.contrib import graph_executor
    from arco_tvm import compat, opencl
    opencl.load()

    conv = {"channels": 32, "kernel_size": (3, 3)}
    data = relay.var("data", shape=(1, 16, 14, 14))
    weight = relay.var("weight", shape=(32, 16, 3, 3))
    mod = tvm.IRModule.from_expr(relay.nn.relu(relay.nn.conv2d(data, weight, padding=(1, 1), **conv)))
    rng = np.random.default_rng(0)
    params = {"weight": rng.standard_normal((32, 16, 3, 3)).astype("float32")}
    fed = rng.standard_normal((1, 16, 14, 14)).astype("float32")

    def output(target, device, export):
        with tvm.transform.PassContext(opt_level=3):
            built = relay.build(mod, target=tvm.target.Target(target, host="llvm"), params=params)
        if export:
            path = os.path.join(tempfile.mkdtemp(), "network.so")
            built.export_library(path)
            built = tvm.runtime.load_module(path)
        runner = graph_executor.GraphModule(built["default"](device))
        runner.run(data=fed)
        return runner.get_output(0).numpy()

    for export in (False, True):
        ours = output(TARGET, tvm.opencl(0), export)
        np.testing.assert_allclose(ours, output("llvm", tvm.cpu(0), False), rtol=1e-4, atol=1e-4)
    print("agrees")
"""


@pytest.mark.parametrize("device", ["", "mali", "adreno", "intel_graphics"])
def test_a_kernel_of_every_flavour_agrees_with_the_cpu(device):
    target = f"opencl -device={device}" if device else "opencl"
    said = _run(f"TARGET = {target!r}\n" + _NETWORK)
    assert "agrees" in said, said


def test_what_is_missing_is_named(tmp_path):
    load = "from arco_tvm import opencl\nopencl.load()\n"
    cache = str(tmp_path / "cache")
    said = _run(load, XDG_CACHE_HOME=cache, CXX="no-such-compiler")
    assert "TVM's OpenCL runtime must be compiled" in said and "no-such-compiler" in said, said


def test_a_second_use_needs_no_compiler(tmp_path):
    path = "from arco_tvm import opencl\nprint(opencl.path())\n"
    cache = str(tmp_path / "cache")
    first = _run(path, XDG_CACHE_HOME=cache)
    assert Path(first.strip()).is_file(), first
    assert _run(path, XDG_CACHE_HOME=cache, CXX="no-such-compiler") == first
