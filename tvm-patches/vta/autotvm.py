"""What AutoTVM's own runners need for the accelerator."""

import json

from tvm.autotvm.measure.measure_methods import default_module_loader

from vta.environment import get_env


def module_loader(bitstream: str | None = None):
    """A `module_loader` for `autotvm.RPCRunner`: gives each session the geometry of the environment of now.

    There is no FPGA to program: a bitstream is not looked at.
    """
    _ = bitstream
    config = json.dumps(get_env().cfg_dict)

    def set_geometry(remote, _build_result) -> None:
        remote.get_function("tvm.contrib.vta.reconfig_runtime")(config)

    return default_module_loader(set_geometry)
