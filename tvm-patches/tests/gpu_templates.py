"""What `verify_gpu_code` says of sampled configurations of TVM's GPU templates, beside what our masks say.

The figures of both sides are compared, too: threads of a block in each direction, bytes of shared memory.
"""

import json
import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import tvm
import tvm.topi  # registers the templates
from tvm import autotvm
from tvm.autotvm.task.space import InstantiationError

from arco_tvm import description, library
from arco_tvm.builder import tuning_scope

#: Limits of a block by device: an NVIDIA GPU, a Mali or Adreno, an AMD or Intel GPU by OpenCL.
LIMITS = {
    "1024 threads, 48 kB": {
        "max_threads_per_block": 1024,
        "max_shared_memory_per_block": 49152,
        "max_thread_x": 1024,
        "max_thread_y": 1024,
        "max_thread_z": 64,
    },
    "256 threads, 32 kB": {
        "max_threads_per_block": 256,
        "max_shared_memory_per_block": 32768,
        "max_thread_x": 256,
        "max_thread_y": 256,
        "max_thread_z": 256,
    },
}


def _tensor(*shape: int, dtype: str = "float32") -> list:
    return ["TENSOR", list(shape), dtype]


#: Template -> arguments of some tasks. Shapes of real networks, and odd ones: strides, dilations, kernels
#: that are not square, sizes that are no powers of two, float16.
TASKS: dict[str, list[list]] = {
    "conv2d_nchw.cuda": [
        [_tensor(1, 3, 224, 224), _tensor(64, 3, 7, 7), [2, 2], [3, 3, 3, 3], [1, 1], "float32"],
        [_tensor(1, 64, 56, 56), _tensor(64, 64, 3, 3), [1, 1], [1, 1, 1, 1], [1, 1], "float32"],
        [_tensor(1, 256, 14, 14), _tensor(512, 256, 1, 1), [2, 2], [0, 0, 0, 0], [1, 1], "float32"],
        [_tensor(1, 32, 28, 30), _tensor(48, 32, 3, 5), [1, 2], [2, 2, 2, 2], [2, 1], "float32"],
        [
            _tensor(2, 64, 28, 28, dtype="float16"),
            _tensor(96, 64, 3, 3, dtype="float16"),
            [1, 1],
            [1, 1, 1, 1],
            [1, 1],
            "float16",
        ],
    ],
    "conv2d_nchw_winograd.cuda": [
        [_tensor(1, 64, 56, 56), _tensor(64, 64, 3, 3), [1, 1], [1, 1, 1, 1], [1, 1], "float32"],
        [_tensor(1, 512, 7, 7), _tensor(512, 512, 3, 3), [1, 1], [1, 1, 1, 1], [1, 1], "float32"],
        [_tensor(1, 96, 30, 30), _tensor(120, 96, 3, 3), [1, 1], [1, 1, 1, 1], [1, 1], "float32"],
    ],
    "depthwise_conv2d_nchw.cuda": [
        [_tensor(1, 32, 112, 112), _tensor(32, 1, 3, 3), [1, 1], [1, 1, 1, 1], [1, 1], "float32"],
        [_tensor(1, 512, 14, 14), _tensor(512, 1, 3, 3), [2, 2], [1, 1, 1, 1], [1, 1], "float32"],
        [_tensor(1, 144, 56, 52), _tensor(144, 1, 5, 3), [1, 2], [2, 1, 2, 1], [1, 1], "float32"],
        [_tensor(1, 64, 30, 30), _tensor(64, 1, 3, 3), [1, 1], [2, 2, 2, 2], [2, 2], "float32"],
    ],
    "group_conv2d_nchw.cuda": [
        [_tensor(1, 64, 56, 56), _tensor(128, 16, 3, 3), [1, 1], [1, 1, 1, 1], [1, 1], 4, "float32"],
        [_tensor(4, 256, 14, 14), _tensor(256, 8, 3, 3), [2, 2], [1, 1, 1, 1], [1, 1], 32, "float32"],
        [_tensor(2, 96, 28, 28), _tensor(96, 24, 1, 1), [1, 1], [0, 0, 0, 0], [1, 1], 4, "float32"],
    ],
    "conv1d_ncw.cuda": [
        [_tensor(1, 64, 256), _tensor(128, 64, 3), [1], [1], [1], "float32"],
        [_tensor(8, 48, 1000), _tensor(96, 48, 5), [2], [2], [1], "float32"],
        [_tensor(4, 32, 512), _tensor(64, 32, 3), [1], [2], [2], "float32"],
    ],
    "conv3d_ncdhw.cuda": [
        [_tensor(1, 16, 8, 28, 28), _tensor(32, 16, 3, 3, 3), [1, 1, 1], [1, 1, 1], [1, 1, 1], 1, "float32"],
        [_tensor(1, 64, 16, 56, 56), _tensor(64, 64, 1, 1, 1), [1, 2, 2], [0, 0, 0], [1, 1, 1], 1, "float32"],
        [_tensor(1, 24, 12, 20, 20), _tensor(48, 24, 3, 3, 5), [2, 1, 2], [1, 1, 2], [1, 1, 1], 1, "float32"],
    ],
    "conv2d_transpose_nchw.cuda": [
        [_tensor(1, 256, 8, 8), _tensor(256, 128, 4, 4), [2, 2], [1, 1, 1, 1], "float32", [0, 0], 1],
        [_tensor(1, 64, 32, 32), _tensor(64, 3, 5, 5), [2, 2], [2, 2, 2, 2], "float32", [1, 1], 1],
        [_tensor(4, 48, 14, 14), _tensor(48, 96, 3, 3), [1, 1], [1, 1, 1, 1], "float32", [0, 0], 1],
    ],
    "dense_small_batch.gpu": [
        [_tensor(1, 512), _tensor(1000, 512), None, "float32"],
        [_tensor(8, 25088), _tensor(4096, 25088), None, "float32"],
        [_tensor(16, 3072), _tensor(768, 3072), None, "float32"],
    ],
    "dense_large_batch.gpu": [
        [_tensor(128, 768), _tensor(3072, 768), None, "float32"],
        [_tensor(256, 1024), _tensor(1024, 1024), None, "float32"],
        [_tensor(100, 300), _tensor(500, 300), None, "float32"],
    ],
    "batch_matmul.cuda": [
        [_tensor(12, 128, 64), _tensor(12, 128, 64), [12, 128, 128], "float32", 0, 1],
        [_tensor(8, 384, 96), _tensor(8, 60, 96), [8, 384, 60], "float32", 0, 1],
        [_tensor(4, 64, 200), _tensor(4, 200, 48), [4, 64, 48], "float32", 0, 0],
    ],
}


@dataclass
class Found:
    """What sampled configurations of one template turned out to be, under one device's limits."""

    sampled: int = 0
    accepted: int = 0
    masked: int = 0
    #: Masked, though verify_gpu_code accepts them: none may be.
    wronged: list[str] = field(default_factory=list)
    #: Let pass, though they fail.
    missed: Counter = field(default_factory=Counter)
    #: Threads or bytes that differ from those of the lowered kernel.
    inexact: list[str] = field(default_factory=list)


def create(template: str, args: list, target: str = "cuda -arch=sm_80") -> tuple[autotvm.task.Task, dict]:
    """A task and its description."""
    with tuning_scope():
        task = autotvm.task.create(template, description.to_tuple(args), target=target)
        # Some templates define knobs only when they are instantiated.
        return task, description.describe(task)


def sample(length: int, count: int, seed: int) -> list[int]:
    """Distinct indices of a space, all of them if they are few."""
    if length <= count:
        return list(range(length))
    rng = random.Random(seed)
    chosen: set[int] = set()
    while len(chosen) < count:
        chosen.add(rng.randrange(length))
    return sorted(chosen)


def launches(described: dict, limits: dict, indices: list[int]) -> list[dict] | None:
    """What our rules say of each index: `{"allowed", "kernels": [{"threads", "shared"}]}`, or None."""
    library.load()
    ask = tvm.get_global_func("arco.gpu.launches")
    answer = ask(json.dumps(described), json.dumps(limits), json.dumps(indices))
    return json.loads(answer)


@dataclass
class Lowered:
    """A lowered candidate: its kernels' threads and shared memory, and the limits that they keep to."""

    why: str = ""
    kernels: list[tuple[tuple[int, int, int], int]] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)


class _SeenError(Exception):
    """The check has looked at the candidate."""


def lower(task: autotvm.task.Task, index: int) -> Lowered:
    """Instantiate and lower a configuration, up to where AutoTVM's check looks at it."""
    seen = Lowered()

    def look(func: Any, *_: Any) -> Any:
        seen.kernels = _kernels(func.body)
        for name, limits in LIMITS.items():
            if tvm.tir.analysis.verify_gpu_code(func, limits):
                seen.accepted.add(name)
        # What comes after the check simplifies what was unrolled, and takes up to a minute.
        raise _SeenError

    check = tvm.tir.transform.prim_func_pass(look, opt_level=0)
    try:
        with tuning_scope(), task.target:
            config = description.config_at(task.config_space, index)
            schedule, args = task.instantiate(config)
            if not config.valid():
                raise InstantiationError(config.errors)
            with tvm.transform.PassContext(config={"tir.add_lower_pass": [(2, check)]}):
                tvm.lower(schedule, args)
    except _SeenError:
        pass
    except Exception as exc:
        lines = [line for line in str(exc).strip().splitlines() if line.strip()]
        seen.why = f"{type(exc).__name__}: {lines[-1][:120] if lines else ''}"
        seen.accepted = set()
    return seen


def _kernels(body: Any) -> list[tuple[tuple[int, int, int], int]]:
    """Threads along x, y and z and bytes of shared memory of every kernel in a lowered body."""
    found: list[tuple[dict[str, int], list[int]]] = []

    # Statements alone: an unrolled body has a hundred thousand expressions.
    def see(stmt: Any, inside: bool) -> None:
        if isinstance(stmt, tvm.tir.AttrStmt) and stmt.attr_key in ("thread_extent", "virtual_thread"):
            if not inside:
                found.append(({}, []))
                inside = True
            found[-1][0].setdefault(stmt.node.var.name, int(stmt.value))
        elif isinstance(stmt, tvm.tir.Allocate) and stmt.buffer_var.type_annotation.storage_scope == "shared":
            dtype = tvm.DataType(stmt.dtype)
            found[-1][1].append(math.prod(int(n) for n in stmt.extents) * dtype.bits * dtype.lanes // 8)
        if isinstance(stmt, tvm.tir.SeqStmt):
            for part in stmt.seq:
                see(part, inside)
        elif isinstance(stmt, tvm.tir.IfThenElse):
            see(stmt.then_case, inside)
        elif not isinstance(stmt, tvm.tir.BufferStore | tvm.tir.Evaluate):
            see(stmt.body, inside)

    see(body, False)
    return [
        (tuple(threads.get(f"threadIdx.{axis}", 1) for axis in "xyz"), sum(shared))
        for threads, shared in found
    ]


def compare(template: str, count: int, seed: int = 0) -> dict[str, Found]:
    """Sample `count` configurations of a template's tasks; hold the rules against TVM under every limit."""
    found = {name: Found() for name in LIMITS}
    tasks = TASKS[template]
    left = count
    for number, args in enumerate(tasks):
        task, described = create(template, args)
        indices = sample(described["range_length"], left // (len(tasks) - number), seed + number)
        left -= len(indices)
        said = {name: launches(described, limits, indices) for name, limits in LIMITS.items()}
        for place, index in enumerate(indices):
            lowered = lower(task, index)
            for name in LIMITS:
                _note(found[name], name, template, index, said[name] and said[name][place], lowered)
    return found


def _note(found: Found, name: str, template: str, index: int, said: dict | None, lowered: Lowered) -> None:
    found.sampled += 1
    accepted = name in lowered.accepted
    found.accepted += accepted
    if said is None:
        found.inexact.append(f"{template} has no rules")
        found.missed["no rules"] += not accepted
        return
    found.masked += not said["allowed"]
    what = f"{template} {index}: ours {said['kernels']}, TVM's {lowered.kernels} {lowered.why}"
    if accepted and not said["allowed"]:
        found.wronged.append(what)
    if not accepted and said["allowed"]:
        found.missed[lowered.why or "limits"] += 1
    ours = Counter((tuple(kernel["threads"]), kernel["shared"]) for kernel in said["kernels"])
    if lowered.kernels and not lowered.why and set(ours) != set(lowered.kernels):
        found.inexact.append(what)
