"""What TVM 0.19 needs from its surroundings: one place for every shim, each with its reason.

Importing this module applies them. TVM reads both when it uses them, so the order of imports is free.
"""

import functools
import math
import os


def prepare() -> None:
    """Make the process fit for TVM 0.19; calling it again changes nothing."""
    # TopHub is a download of pre-tuned schedules. Without a network the failed download makes AutoTVM's
    # extraction return a single task, and with one it would let "untuned" mean "tuned by somebody else".
    os.environ["TOPHUB_LOCATION"] = "NONE"
    _restore_numpy_names()


def _restore_numpy_names() -> None:
    """Give back the one name that NumPy 1.25 deprecated, NumPy 2 removed and TVM 0.19 still uses."""
    import numpy as np

    # `np.math` in relay.quantize (`_calibrate.py`, power-of-two scales) was the standard library's math.
    if "math" not in np.__dict__:
        np.math = math


def quicken_relay() -> None:
    """Let TVM look up how it was built once.

    Relay's lowering asks for each dimension of each tensor and converts all build options each time (8 ms):
    most of the time that asking a network's operators for their templates takes.
    """
    from tvm.relay.backend import te_compiler

    if not hasattr(te_compiler.libinfo, "cache_info"):
        te_compiler.libinfo = functools.cache(te_compiler.libinfo)


prepare()
