"""Copies between DRAM and on-chip memory: the pragma `dma_copy` becomes one two-dimensional transfer."""

from dataclasses import dataclass

import tvm
from tvm import tir

from vta.environment import get_env
from vta.transform.common import VTALowerError, is_const
from vta.transform.pattern import require_compact, transfer_of

_NO_PAD = "Do not support pad on the innermost block"


@dataclass(frozen=True)
class _Memory:
    """One on-chip memory as an end of a transfer."""

    name: str
    bits: int
    elem_bits: int
    mem_id: int
    queue: int

    @property
    def block(self) -> int:
        """Values of an element."""
        return self.elem_bits // self.bits

    @property
    def dtype(self) -> str:
        return f"int{self.bits}"


def InjectDMAIntrin() -> tvm.transform.Pass:
    """Turn each copy that is marked `dma_copy` into `VTALoadBuffer2D` or `VTAStoreBuffer2D`."""
    return tir.transform.InjectCopyIntrin("dma_copy", _copy)


def _copy(src: tir.Buffer, dst: tir.Buffer, pad_before, pad_after, _pad_value) -> tir.Stmt:
    # The value of the padding is not looked at: the hardware pads with zeros.
    if dst.scope() == "global":
        return _store(src, dst, pad_before or pad_after)
    if src.scope() == "global":
        return _load(src, dst, list(pad_before), list(pad_after))
    raise VTALowerError(f"Do not support copy {src.scope()}->{dst.scope()}")


def _store(src: tir.Buffer, dst: tir.Buffer, padded) -> tir.Stmt:
    env = get_env()
    if padded:
        raise VTALowerError("Do not support copy into DRAM with pad")
    if src.scope() != env.acc_scope:
        raise VTALowerError(f"Do not support copy {src.scope()}->dram")
    memory = _Memory(src.scope(), env.OUT_WIDTH, env.OUT_ELEM_BITS, env.dev.MEM_ID_OUT, env.dev.QID_STORE_OUT)
    require_compact(src)
    to = transfer_of(dst, memory.block, memory.name, fold=True)
    return _emit(
        memory.queue,
        "VTAStoreBuffer2D",
        src.access_ptr("r", "int32"),
        memory.mem_id,
        dst.data,
        to.offset,
        to.x_size,
        to.y_size,
        to.x_stride,
    )


def _load(src: tir.Buffer, dst: tir.Buffer, pad_before: list, pad_after: list) -> tir.Stmt:
    memory = _destination(dst.scope())
    pads = _pads(pad_before, pad_after) if pad_before else (0, 0, 0, 0)
    require_compact(dst)
    # Folding dimensions would lose which of them is padded.
    origin = transfer_of(src, memory.block, memory.name, fold=not pad_before)
    return _emit(
        memory.queue,
        "VTALoadBuffer2D",
        src.data,
        origin.offset,
        origin.x_size,
        origin.y_size,
        origin.x_stride,
        *pads,
        dst.access_ptr("r", "int32"),
        _load_id(memory, src.dtype),
    )


def _destination(scope: str) -> _Memory:
    env = get_env()
    dev = env.dev
    for name, buffer, mem_id, queue in (
        (env.inp_scope, "INP", dev.MEM_ID_INP, dev.QID_LOAD_INP),
        (env.wgt_scope, "WGT", dev.MEM_ID_WGT, dev.QID_LOAD_WGT),
        (env.acc_scope, "ACC", dev.MEM_ID_ACC, dev.QID_LOAD_OUT),
    ):
        if scope == name:
            width, elem = getattr(env, f"{buffer}_WIDTH"), getattr(env, f"{buffer}_ELEM_BITS")
            return _Memory(name, width, elem, mem_id, queue)
    raise VTALowerError(f"Do not support copy dram->{scope}")


def _load_id(memory: _Memory, dtype: str) -> int:
    """The memory to name in the instruction: accumulators can be filled from int8, too."""
    env = get_env()
    if dtype == memory.dtype:
        return memory.mem_id
    if memory.mem_id == env.dev.MEM_ID_ACC and dtype == env.inp_dtype:
        return env.dev.MEM_ID_ACC_8BIT
    raise VTALowerError(f"cannot load {dtype} into {memory.name}, which holds {memory.dtype}")


def _pads(before: list, after: list) -> tuple:
    """Padding left, above, right, below, in elements: rows and columns are the first two dimensions."""
    ndim = len(before)
    if ndim <= 2 or ndim > 5:
        raise VTALowerError(f"Limitation of 2D pad load forbid ndim={ndim}")
    # A loop over batches in front of rows and columns is not padded.
    row = 1 if ndim == 5 else 0
    if not all(is_const(pad[k], 0) for pad in (before, after) for k in range(row + 2, ndim)):
        raise VTALowerError(_NO_PAD)
    return before[row + 1], before[row], after[row + 1], after[row]


def _emit(queue: int, function: str, *args) -> tir.Stmt:
    dev = get_env().dev
    builder = tir.ir_builder.create()
    builder.scope_attr(dev.vta_axis, "coproc_scope", dev.get_task_qid(queue))
    builder.emit(tir.call_extern("int32", function, dev.command_handle, *args))
    return builder.get()
