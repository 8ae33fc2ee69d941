"""Shared pieces: a convolution task, and servers that are started for a test and ended after it."""

import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tvm._ffi.libinfo import find_include_path
from tvm.contrib import cc
from vta_support import call

from arco_tvm import library

TESTS = Path(__file__).resolve().parent
PACKAGE = TESTS.parent

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


class Process:
    """A server process with its ready line; what it says on standard error goes to a file in `folder`."""

    def __init__(self, folder: Path, *arguments: str, owned: bool = True):
        self._stderr = folder / "stderr"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(PACKAGE), str(TESTS)]),
            "TMPDIR": str(self.temporary),
        }
        command = [sys.executable, "-m", "arco_tvm.serve", *arguments, *(["--owned"] if owned else [])]
        with open(self._stderr, "w") as stderr:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                text=True,
            )
        line = self.process.stdout.readline()
        assert line, self.stderr()
        self.ready = json.loads(line)
        self.port = self.ready["port"]

    def stderr(self) -> str:
        """What the server has said so far."""
        return self._stderr.read_text()

    def end(self) -> str:
        """Close standard input, wait, and return what is left on standard output."""
        if self.process.stdin:
            self.process.stdin.close()
            self.process.stdin = None
        try:
            return self.process.communicate(timeout=10)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


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


def wait_until(condition, seconds: float = 5.0) -> bool:
    """Whether the condition becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


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
