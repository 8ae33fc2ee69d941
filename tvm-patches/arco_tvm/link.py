"""Linking one object file into a shared library in a few milliseconds.

TVM links through the C++ compiler's driver, which takes ten times as long as the linker it calls.
"""

import functools
import os
import subprocess
import tempfile

from tvm.contrib import cc

from arco_tvm.errors import ArcoError


def link(
    output: str,
    objects: list[str],
    compiler: str | None = None,
    timeout: float | None = None,
    open_ended: bool = False,
    **kwargs,
):
    """Link object files into a shared library, as an `fcompile` of `export_library`.

    The system's `ld` is called where that is enough (native objects, nothing left undefined); the C++
    compiler, as TVM does it, in every other case or when `compiler` names one. An `open_ended` library may
    call functions that only the process it is loaded into has, as an accelerator's kernels do.
    """
    if compiler is None and not kwargs and all(name.endswith(".o") for name in objects) and ld_works():
        command = _ld(output, objects, open_ended)
        done = subprocess.run(command, capture_output=True, timeout=timeout, check=False)
        if done.returncode == 0:
            return
    if compiler is None and cc.get_cc() is None:
        raise ArcoError(
            "no-compiler",
            "there is no C++ compiler on PATH to link candidates with",
            "install one (Debian: apt install g++)",
        )
    cc.create_shared(output, objects, cc=compiler or None, **kwargs)


@functools.cache
def ld_works() -> bool:
    """Whether `ld` is there and finds the C library."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            command = _ld(os.path.join(folder, "probe.so"), [])
            return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def _ld(output: str, objects: list[str], open_ended: bool = False) -> list[str]:
    # `-z defs`: a symbol that is neither in libm nor in libc must fail here (and then be found by the
    # compiler's driver, which adds its run-time library), not on the device.
    defined = [] if open_ended else ["-z", "defs"]
    return ["ld", "-shared", *defined, "-o", output, *objects, "--as-needed", "-lm", "-lc"]
