"""Shared pieces: a convolution task, and servers that are started for a test and ended after it."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_process import Process
from tvm._ffi.libinfo import find_include_path
from tvm.contrib import cc
from vta_support import call

from arco_tvm import library

CONV_ARGS = [
    ["TENSOR", [1, 16, 28, 28], "float32"],
    ["TENSOR", [16, 16, 3, 3], "float32"],
    [1, 1],
    [1, 1, 1, 1],
    [1, 1],
    "NCHW",
    "NCHW",
    "float32",
]


@pytest.fixture(scope="session")
def conv_task() -> dict:
    """A small convolution on this machine's CPU: 400 configurations, each builds in a moment."""
    return {"name": "conv2d_NCHWc.x86", "args": CONV_ARGS, "target": "llvm -mcpu=native"}


@pytest.fixture
def serve(tmp_path) -> Iterator:
    """Start servers: `serve("builder", "--port", "9500")`."""
    started: list[Process] = []

    def start(*arguments: str, owned: bool = True) -> Process:
        started.append(Process(tmp_path / f"server{len(started)}", *arguments, owned=owned))
        return started[-1]

    yield start
    for process in started:
        if process.process.poll() is None:
            process.process.terminate()
            process.end()


@pytest.fixture(scope="session")
def native() -> ctypes.CDLL:
    """`libarco_tvm.so` with its symbols global, as a session of an RPC server loads it."""
    path = next(path for path in library.candidates() if path.is_file())
    return ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)


@pytest.fixture
def vta(native):
    """Calls a global function of this process; the device is as at first, and so it is left."""
    yield call
    call("arco.vta.set_mode", "full")
    call("arco.vta.set_config", "sim")
    call("vta.simulator.profiler_debug_mode", 0)


@pytest.fixture(scope="session")
def kernel(native, tmp_path_factory) -> Path:
    """The library of vta_kernel.c, which finds the runtime's functions in the process."""
    path = tmp_path_factory.mktemp("kernel") / "vta_kernel.so"
    source = Path(__file__).with_name("vta_kernel.c")
    headers = [f"-I{folder}" for folder in find_include_path()]
    cc.create_shared(str(path), [str(source)], options=["-O1", *headers], cc=os.environ.get("CC", "gcc"))
    return path
