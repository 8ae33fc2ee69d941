"""VTA's compiler layer for TVM 0.19: a drop-in for the package `vta` that TVM removed.

Environments are geometries (`vta.Environment`), `vta.build` compiles kernels for them, `vta.top` has the
operators and their AutoTVM templates, `vta.top.graph_pack` prepares a quantised network. The accelerator
itself is in `libarco_tvm.so`; `vta.testing.simulator` and RPC servers load it.
"""

from vta import compat, hooks, top  # noqa: F401
from vta.autotvm import module_loader
from vta.build_module import build, build_config, lower
from vta.config import VTAConfigError
from vta.environment import Environment, get_env, target
from vta.hooks import target_string
from vta.rpc_client import get_bitstream_path, program_fpga, reconfig_runtime

__version__ = "0.1.0"

__all__ = [
    "Environment",
    "VTAConfigError",
    "build",
    "build_config",
    "get_bitstream_path",
    "get_env",
    "lower",
    "module_loader",
    "program_fpga",
    "reconfig_runtime",
    "target",
    "target_string",
    "top",
]
