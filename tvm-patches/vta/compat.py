"""What TVM 0.19 lacks for VTA: importing this module gives names back to scripts, and guards logs."""

import tvm

from arco_tvm import compat  # noqa: F401  (numpy names for relay.quantize, no TopHub)
from vta.dispatch import refuse_other_geometries
from vta.environment import make_target

if not hasattr(tvm.target, "vta"):
    tvm.target.vta = make_target
refuse_other_geometries()
