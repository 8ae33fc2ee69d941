"""The environment: one geometry as the compiler sees it, and the stack of those in use."""

import copy
from collections.abc import Mapping
from typing import Any

import tvm
from tvm import te

from vta import config as vta_config


class DevContext:
    """What lowering passes share for one environment: the thread axis of the accelerator, names and numbers.

    The numbers are those of the instruction set (spec section 2) and of the runtime's queues.
    """

    MEM_ID_UOP = 0
    MEM_ID_WGT = 1
    MEM_ID_INP = 2
    MEM_ID_ACC = 3
    MEM_ID_OUT = 4
    MEM_ID_ACC_8BIT = 5
    ALU_OPCODE_MIN = 0
    ALU_OPCODE_MAX = 1
    ALU_OPCODE_ADD = 2
    ALU_OPCODE_SHR = 3
    ALU_OPCODE_MUL = 4
    QID_LOAD_INP = 1
    QID_LOAD_WGT = 1
    QID_LOAD_OUT = 2
    QID_COMPUTE = 2
    QID_STORE_OUT = 3

    def __init__(self, env: "Environment"):
        # CoProcSync takes the names of the synchronisation intrinsics from this axis: tir.vta.coproc_sync,
        # ...
        self.vta_axis = te.thread_axis("vta")
        self.vta_push_uop = tvm.tir.StringImm("VTAPushGEMMOp")
        self.vta_push_alu = tvm.tir.StringImm("VTAPushALUOp")
        handle = tvm.tir.call_intrin("handle", "tir.vta.command_handle")
        self.command_handle = tvm.tir.call_intrin("handle", "tir.tvm_thread_context", handle)
        #: For debugging: put everything into one queue, so that no synchronisation is needed.
        self.DEBUG_NO_SYNC = False
        self._env = env
        self._gemm = None

    @property
    def gemm(self):
        """The tensor intrinsic of the matrix unit."""
        if self._gemm is None:
            from vta import intrin

            self._gemm = intrin.gemm(self._env, self._env.mock_mode)
        return self._gemm

    def get_task_qid(self, qid: int) -> int:
        """The queue that a stage's instructions go to."""
        return 1 if self.DEBUG_NO_SYNC else qid


class Environment:
    """A geometry and what follows from it: sizes, types, memory scopes, targets.

    `cfg` is what `vta.config.describe` takes. Every field of the configuration is an attribute. As a context
    manager it is the current environment of everything inside; environments nest.

    ```python
    with vta.Environment("1x32_i8w8a32_15_16_19_18"):
        schedule = ...   # vta.get_env() is this one
    ```
    """

    #: The innermost environment; None until somebody asks for one.
    current: "Environment | None" = None

    #: Bytes: more than any transfer, for buffers of the runtime.
    MAX_XFER = 1 << 22
    DEBUG_DUMP_INSN = 1 << 1
    DEBUG_DUMP_UOP = 1 << 2
    DEBUG_SKIP_READ_BARRIER = 1 << 3
    DEBUG_SKIP_WRITE_BARRIER = 1 << 4

    inp_scope = "local.inp_buffer"
    wgt_scope = "local.wgt_buffer"
    acc_scope = "local.acc_buffer"

    def __init__(self, cfg: str | Mapping[str, Any]):
        about = vta_config.describe(cfg)
        self.cfg_dict: dict[str, Any] = about["config"]
        self.__dict__.update(self.cfg_dict)
        for buffer in ("INP", "WGT", "ACC", "OUT"):
            setattr(self, f"{buffer}_WIDTH", 1 << self.cfg_dict[f"LOG_{buffer}_WIDTH"])
        self.BATCH = 1 << self.LOG_BATCH
        self.BLOCK_IN = 1 << self.LOG_BLOCK_IN
        self.BLOCK_OUT = 1 << self.LOG_BLOCK_OUT
        for buffer in ("UOP", "INP", "WGT", "ACC", "OUT"):
            setattr(self, f"{buffer}_BUFF_SIZE", 1 << self.cfg_dict[f"LOG_{buffer}_BUFF_SIZE"])
        shapes = {
            "INP": (self.BATCH, self.BLOCK_IN),
            "WGT": (self.BLOCK_OUT, self.BLOCK_IN),
            "ACC": (self.BATCH, self.BLOCK_OUT),
            "OUT": (self.BATCH, self.BLOCK_OUT),
        }
        for buffer, (rows, columns) in shapes.items():
            width = getattr(self, f"{buffer}_WIDTH")
            setattr(self, f"{buffer}_ELEM_BITS", rows * columns * width)
            setattr(self, f"{buffer}_ELEM_BYTES", rows * columns * width // 8)
            setattr(self, f"{buffer.lower()}_dtype", f"int{width}")
        #: The geometry's name, which was also that of the bitstream.
        self.BITSTREAM: str = about["name"]
        #: What `-model=` of the target says.
        self.MODEL: str = about["model"]
        self.mock_mode = False
        self._mock: Environment | None = None
        self._dev: DevContext | None = None
        self._outer: list[Environment | None] = []

    def __enter__(self) -> "Environment":
        self._outer.append(Environment.current)
        Environment.current = self
        return self

    def __exit__(self, *_: object) -> None:
        Environment.current = self._outer.pop()

    def __repr__(self) -> str:
        return f"vta.Environment({self.MODEL!r})"

    @property
    def dev(self) -> DevContext:
        """What the passes share."""
        if self._dev is None:
            self._dev = DevContext(self)
        return self._dev

    @property
    def mock(self) -> "Environment":
        """This environment with copies, ALU and matrix operations left out: for timing the rest."""
        if self.mock_mode:
            return self
        if self._mock is None:
            mock = copy.copy(self)
            mock.mock_mode, mock._dev, mock._outer = True, None, []
            self._mock = mock
        return self._mock

    @property
    def dma_copy(self) -> str:
        """The pragma of a copy between DRAM and on-chip memory."""
        return "skip_dma_copy" if self.mock_mode else "dma_copy"

    @property
    def alu(self) -> str:
        """The pragma of a loop nest for the vector unit."""
        return "skip_alu" if self.mock_mode else "alu"

    @property
    def gemm(self):
        """The tensor intrinsic of the matrix unit."""
        return self.dev.gemm

    @property
    def target(self) -> tvm.target.Target:
        """The target of kernels for this geometry; its host is `target_host`."""
        return make_target(self.MODEL)

    @property
    def target_host(self) -> str:
        """The target of what runs beside the accelerator: this machine, where the simulator runs."""
        return "llvm"

    @property
    def target_vta_cpu(self) -> tvm.target.Target:
        """The target of operators of a packed network that stay on the host."""
        return tvm.target.arm_cpu(model=self.TARGET)


def make_target(model: str = "unknown", options: list[str] | str | None = None) -> tvm.target.Target:
    """The target for a model; what `tvm.target.vta` was."""
    extra = [options] if isinstance(options, str) else list(options or [])
    return tvm.target.Target(" ".join([f"ext_dev -keys=vta,cpu -device=vta -model={model}", *extra]))


def target(config: str | Mapping[str, Any] | None = None) -> tvm.target.Target:
    """The target of a geometry, by default of the current environment's."""
    return (get_env() if config is None else Environment(config)).target


def env_of(target: tvm.target.Target) -> Environment:
    """The environment that a target's `-model=` names; the current one if it is that, or if none is named."""
    current = get_env()
    model = str(target.model)
    if model in ("unknown", current.MODEL):
        return current
    return Environment(model)


def get_env() -> Environment:
    """The current environment."""
    if Environment.current is None:
        Environment.current = Environment(vta_config.default())
    return Environment.current
