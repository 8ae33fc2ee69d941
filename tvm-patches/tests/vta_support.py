"""What the tests of VTA as a TVM device share: geometries, operands, settings of this process's device."""

import json

import numpy as np
import tvm

#: Geometries of all kinds: small, several rows, blocks that differ, 8 to 512 bytes an element.
GEOMETRIES = [
    "1x16_i8w8a32_15_15_18_17",
    "1x8_i8w8a32_15_14_16_16",
    "2x16_i8w8a32_15_16_18_18",
    "1x16x32_i8w8a32_15_15_19_18",
    "1x32_i8w8a32_15_16_19_18_bus128_c200",
]
#: Those of vta_kernel.c.
M, N, K = 3, 4, 5
DEVICE = tvm.ext_dev(0)


def call(name: str, *args):
    """Call a global function of this process."""
    return tvm.get_global_func(name)(*args)


class Operands:
    """Random operands for the geometry that a configuration describes, and what must come out."""

    def __init__(self, config: dict, seed: int = 0):
        random = np.random.default_rng(seed)
        batch, block_in, block_out = (1 << config[f"LOG_{x}"] for x in ("BATCH", "BLOCK_IN", "BLOCK_OUT"))
        self.inp = random.integers(-128, 128, (M, K, batch, block_in), dtype="int8")
        self.wgt = random.integers(-128, 128, (N, K, block_out, block_in), dtype="int8")
        wide = np.einsum("mkbi,nkoi->mnbo", self.inp.astype("int32"), self.wgt.astype("int32"))
        # STORE keeps the low bits.
        self.expected = wide.astype("int8")

    def on(self, device) -> list:
        """Input, weights and output, which is not zero, in device memory."""
        out = np.full_like(self.expected, 99)
        return [tvm.nd.array(array, device) for array in (self.inp, self.wgt, out)]


def config() -> dict:
    """The geometry of this process's device."""
    return json.loads(call("arco.vta.config"))


def status() -> dict:
    """The counters of this process's device."""
    return json.loads(call("vta.simulator.profiler_status"))
