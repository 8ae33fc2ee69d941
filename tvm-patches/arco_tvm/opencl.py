"""OpenCL in this process's TVM, where TVM was built without it.

    import tvm
    from arco_tvm import opencl

    opencl.load()
    tvm.opencl(0).exist

The runtime is compiled from the sources that TVM's wheel comes with when it is first needed, and kept in the
user's cache. Servers have it with `--load-library $(python -m arco_tvm.opencl)`.
"""

import ctypes
import sys

import tvm

from arco_tvm import library
from arco_tvm.errors import ArcoError, summary


def load() -> None:
    """Make the device `opencl` available; does nothing if it is.

    # Errors
    "no-opencl" if there is no OpenCL loader or the runtime cannot be compiled, and those of library.load.
    """
    if tvm.get_global_func("device_api.opencl", allow_missing=True) is None:
        ctypes.CDLL(path())


def path() -> str:
    """The shared library with the runtime for this TVM.

    # Errors
    As load's.
    """
    library.load()
    try:
        return str(tvm.get_global_func("arco.opencl.library")())
    except Exception as exc:
        raise ArcoError("no-opencl", summary(exc)) from exc


def main() -> int:
    """Print the path of the library."""
    try:
        print(path())
    except ArcoError as exc:
        print(f"{exc.text}; {exc.hint}" if exc.hint else exc.text, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
