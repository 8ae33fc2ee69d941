"""Finding and loading `libarco_tvm.so`, which puts the search (`arco.tuner.*`) into this process's TVM."""

import ctypes
import os
from pathlib import Path

import tvm

from arco_tvm.errors import ArcoError

_NAME = "libarco_tvm.so"
#: The functions that the library registers in TVM.
FUNCTIONS = tuple(f"arco.tuner.{name}" for name in ("create", "next_batch", "update", "has_next", "free"))

_loaded: ctypes.CDLL | None = None


def candidates() -> list[Path]:
    """Where the library is looked for, in order.

    The environment's choice alone if there is one; else beside this package (a wheel), then in the `target`
    folder of the checkout that this package was installed from.
    """
    chosen = os.environ.get("ARCO_TVM_LIBRARY")
    if chosen:
        return [Path(chosen)]
    package = Path(__file__).resolve().parent
    return [package / "_lib" / _NAME, package.parent.parent / "target" / "release" / _NAME]


def load() -> None:
    """Make `arco.tuner.*` available; does nothing if it is.

    # Errors
    "no-library" if the library is in none of the places; "library-failed" if it does not load or register.
    """
    global _loaded
    if all(tvm.get_global_func(name, allow_missing=True) for name in FUNCTIONS):
        return
    places = candidates()
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        raise ArcoError(
            "no-library",
            f"{_NAME} is not in {' nor '.join(str(path) for path in places)}",
            "build it with `cargo build --release --lib`, or set ARCO_TVM_LIBRARY to its path",
        )
    try:
        # It takes TVM's symbols from this process: TVM is imported, and its libtvm is loaded globally.
        library = ctypes.CDLL(str(found), ctypes.RTLD_GLOBAL)
        library.arco_register.restype = ctypes.c_int
        library.arco_last_error.restype = ctypes.c_char_p
    except (OSError, AttributeError) as exc:
        raise ArcoError("library-failed", f"{found} does not load: {exc}", "build it again") from exc
    if library.arco_register() != 0:
        text = (library.arco_last_error() or b"no reason given").decode(errors="replace")
        raise ArcoError("library-failed", f"{found} does not register its functions: {text}")
    # Never unloaded: TVM keeps pointers into it.
    _loaded = library
