"""The recorded convolutions: how their data was made, and their kernel built anew."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import tvm
from tvm import autotvm, te, topi
from tvm.autotvm.task.space import ConfigEntity, OtherOptionEntity, SplitEntity

import vta
from vta.top.template import clip

DATA = Path(__file__).resolve().parents[3] / "tests" / "data" / "vta"
SHIFT = 8


def records(name: str) -> list[dict[str, Any]]:
    """The records of a file."""
    with gzip.open(DATA / name, "rt") as file:
        return [json.loads(line) for line in file]


def numbers(count: int, seed: int, bits: int) -> np.ndarray:
    """Whole numbers of `bits` bits, by the rule that the data's README states."""
    index = np.arange(count, dtype=np.uint64)
    mixed = (index * np.uint64(2654435761) + np.uint64(seed * 40503)) & np.uint64(0xFFFFFFFF)
    return (mixed >> np.uint64(32 - bits)).astype(np.int64) - (1 << (bits - 1))


class Convolution:
    """A workload for an environment: its operands, its computation, the expected result."""

    def __init__(self, workload: dict[str, int], env: vta.Environment):
        self.env = env
        self.batch = max(workload["batch"], env.BATCH)
        self.channels, self.filters = workload["in_filter"], workload["out_filter"]
        self.rows, self.columns = workload["height"], workload["width"]
        self.kernel = (workload["hkernel"], workload["wkernel"])
        self.pad = (workload["hpad"], workload["wpad"])
        self.stride = (workload["hstride"], workload["wstride"])
        self.out = tuple(
            (size + 2 * pad - kernel) // stride + 1
            for size, pad, kernel, stride in zip(
                (self.rows, self.columns), self.pad, self.kernel, self.stride, strict=True
            )
        )

    def operands(self) -> list[np.ndarray]:
        """Data, kernel and bias, packed."""
        env = self.env
        data = numbers(self.batch * self.channels * self.rows * self.columns, 1, 8).astype("int8")
        kernel = numbers(self.filters * self.channels * self.kernel[0] * self.kernel[1], 2, 8).astype("int8")
        bias = (numbers(self.batch * self.filters, 3, 16) >> 8).astype("int32")
        data = data.reshape(self.batch, self.channels, self.rows, self.columns)
        kernel = kernel.reshape(self.filters, self.channels, *self.kernel)
        return [
            blocks(data, env.BATCH, env.BLOCK_IN),
            blocks(kernel, env.BLOCK_OUT, env.BLOCK_IN),
            blocks(bias.reshape(self.batch, self.filters, 1, 1), env.BATCH, env.BLOCK_OUT),
        ]

    def compute(self) -> tuple[list[te.Tensor], te.Tensor]:
        """Arguments and output of the kernel; inside a target and a dispatch context."""
        env = self.env
        batches, filters = self.batch // env.BATCH, self.filters // env.BLOCK_OUT
        data = te.placeholder(
            (batches, self.channels // env.BLOCK_IN, self.rows, self.columns, env.BATCH, env.BLOCK_IN),
            name="data",
            dtype=env.inp_dtype,
        )
        kernel = te.placeholder(
            (filters, self.channels // env.BLOCK_IN, *self.kernel, env.BLOCK_OUT, env.BLOCK_IN),
            name="kernel",
            dtype=env.wgt_dtype,
        )
        bias = te.placeholder(
            (batches, filters, 1, 1, env.BATCH, env.BLOCK_OUT), name="bias", dtype=env.acc_dtype
        )
        layout = f"NCHW{env.BATCH}n{env.BLOCK_IN}c"
        result = vta.top.conv2d_packed(data, kernel, self.stride, self.pad, (1, 1), layout, env.acc_dtype)
        result = topi.add(topi.right_shift(result, SHIFT), bias)
        result = topi.cast(clip(result, 0, (1 << (env.OUT_WIDTH - 1)) - 1), env.out_dtype)
        return [data, kernel, bias, result], result

    def build(self, config: dict[str, int]) -> tvm.runtime.Module:
        """The kernel under a configuration; raises what the compiler raises."""
        with self.env, fixed(config), tvm.target.Target(self.env.target, host=self.env.target_host):
            arguments, result = self.compute()
            schedule = vta.top.schedule_conv2d_packed([result])
            return vta.build(schedule, arguments, name="conv2d")

    def lower(self, config: dict[str, int]) -> tvm.IRModule:
        """The kernel under a configuration before code is generated, as `default_function`."""
        with self.env, fixed(config), tvm.target.Target(self.env.target, host=self.env.target_host):
            arguments, result = self.compute()
            return vta.lower(vta.top.schedule_conv2d_packed([result]), arguments, name="default_function")

    def run(self, module: tvm.runtime.Module) -> tuple[np.ndarray, dict[str, int]]:
        """The packed output, and the counters of the first launch on a new device."""
        status = tvm.get_global_func("vta.simulator.profiler_status")
        tvm.get_global_func("arco.vta.set_config")(self.env.MODEL)
        device = tvm.ext_dev(0)
        arrays = [tvm.nd.array(operand, device) for operand in self.operands()]
        env = self.env
        shape = (self.batch // env.BATCH, self.filters // env.BLOCK_OUT, *self.out, env.BATCH, env.BLOCK_OUT)
        out = tvm.nd.array(np.full(shape, 99, env.out_dtype), device)
        tvm.get_global_func("vta.simulator.profiler_clear")()
        module["conv2d"](*arrays, out)
        return out.numpy(), json.loads(status())


def blocks(array: np.ndarray, outer: int, inner: int) -> np.ndarray:
    """NCHW in blocks of `outer` x `inner` of its first two dimensions."""
    n, c, h, w = array.shape
    packed = array.reshape(n // outer, outer, c // inner, inner, h, w)
    return np.ascontiguousarray(packed.transpose(0, 2, 4, 5, 1, 3))


def fixed(config: dict[str, int]):
    """A dispatch context that has one configuration, given as inner factors and knob values."""
    entities = {
        name: SplitEntity([-1, value]) if name.startswith("tile") else OtherOptionEntity(value)
        for name, value in config.items()
    }
    return autotvm.task.ApplyConfig(ConfigEntity(-1, None, entities, []))


def digest(array: np.ndarray) -> str:
    """SHA-256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


#: Part of a recorded error's text, and part of ours for the same reason.
ERROR_CLASSES = (
    ("Do not support pad on the innermost block", "Do not support pad on the innermost block"),
    ("cannot detect 2d pattern", "cannot detect 2d pattern"),
    ("Allocation exceed bound", "Allocation exceed bound"),
)
