"""Names that TVM 0.19 lost with VTA and that scripts use: importing this module gives them back."""

import tvm

from arco_tvm import compat  # noqa: F401  (numpy names for relay.quantize, no TopHub)
from vta.environment import make_target

if not hasattr(tvm.target, "vta"):
    tvm.target.vta = make_target
