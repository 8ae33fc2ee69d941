"""Task extraction: which AutoTVM templates a network asks for, and how often each occurs in it.

AutoTVM's own extraction lowers the whole network in a thread whose exceptions are only printed, and drops the
number of occurrences. Here the optimised network is walked instead: every call of an operator inside a fused
function goes once through TVM's own strategy selection (`lower_call`) with AutoTVM's tracing switched on, and
is counted as often as its function is called.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import tvm
import tvm.topi  # registers the templates
from tvm import autotvm, relay, te
from tvm.autotvm.task.topi_integration import TaskExtractEnv
from tvm.relay.backend import te_compiler
from tvm.target import Target

from arco_tvm import compat, hooks
from arco_tvm.errors import ArcoError, summary
from arco_tvm.links import Link, links
from arco_tvm.models.model import Model

compat.quicken_relay()


@dataclass
class ExtractedTask:
    """A tuning task with its place in the network.

    `weight` is how often the operator occurs in the network. Tasks of one `group` are alternative templates
    for the same operators (direct and Winograd convolution, say): each carries the full weight, and TVM will
    use the fastest of the group.
    """

    task: autotvm.task.Task
    weight: int
    group: int


@dataclass
class Extracted:
    """What a network has to tune.

    `tasks` come in the order in which the network first asks for them. `links` name tasks by their position.
    """

    tasks: list[ExtractedTask]
    links: Counter[Link]


def extract(model: Model, target: Target) -> Extracted:
    """The tasks of a model for a target.

    # Errors
    "extraction-failed" if TVM cannot optimise the model, or no operator has a template for this target.
    """
    # TVM keeps a thread pool per thread once a kernel ran (constant folding does), and a pool doesn't survive
    # a fork: so everything happens in a thread of its own, as AutoTVM does it.
    with ThreadPoolExecutor(max_workers=1) as executor, hooks.of(target).scope(target):
        return executor.submit(_extract, model, target).result()


def _extract(model: Model, target: Target) -> Extracted:
    try:
        mod = _optimise(model, target)
        calls = _operator_calls(mod)
    except ArcoError:
        raise
    except Exception as exc:
        raise ArcoError(
            "extraction-failed", f"TVM cannot optimise {model.name} for {target}: {summary(exc)}"
        ) from exc
    asked = _ask_strategies(calls, target)
    weights: Counter[tuple] = Counter()
    askers: dict[tuple, list[int]] = {}
    is_task = hooks.of(target).is_task
    for number, (count, keys) in enumerate(asked.values()):
        for key in filter(lambda key: is_task(key[0]), keys):
            weights[key] += count
            askers.setdefault(key, []).append(number)
    groups: dict[tuple[int, ...], int] = {}
    tasks = []
    positions: dict[tuple, int] = {}
    for key, numbers in askers.items():
        group = groups.setdefault(tuple(numbers), len(groups))
        try:
            task = autotvm.task.create(key[0], key[1], target=target)
        except tvm.topi.InvalidShapeError:
            # As AutoTVM does: the template itself says that it is not for this shape.
            continue
        positions[key] = len(tasks)
        tasks.append(ExtractedTask(task, weights[key], group))
    if not tasks:
        raise ArcoError(
            "extraction-failed",
            f"no operator of {model.name} has an AutoTVM template for {target}",
            "check the target; convolutions and dense layers have templates on llvm, cuda and opencl, and "
            "quantised convolutions on vta",
        )

    def operator_of(call: relay.Call) -> int | None:
        _, keys = asked.get(_signature(call), (None, []))
        # Of alternative templates the first stands for all: TVM asks for that of the highest level first.
        return next((positions[key] for key in keys if key in positions), None)

    return Extracted(tasks, links(mod, operator_of))


def _optimise(model: Model, target: Target) -> tvm.IRModule:
    """The network as TVM's compiler sees it before lowering: optimised and fused, one call per kernel."""
    # Templates are asked for with the original layouts, so AlterOpLayout stays off (as in AutoTVM). Weights
    # are bound only where their values could matter: folding them is what takes the time.
    params = model.params if model.constants_matter else None
    with tvm.transform.PassContext(opt_level=3, disabled_pass={"AlterOpLayout"}):
        mod, _ = relay.optimize(model.mod, target, params=params)
    return mod


def _operator_calls(mod: tvm.IRModule) -> list[tuple[relay.Call, int]]:
    """Every distinct operator call inside the fused functions, with the number of its occurrences."""
    fused: dict[int, list[list]] = {}
    order: list[list] = []

    def see(expr: relay.Expr) -> None:
        if not (isinstance(expr, relay.Call) and isinstance(expr.op, relay.Function)):
            return
        if expr.op.attrs is None or "Primitive" not in expr.op.attrs or "Compiler" in expr.op.attrs:
            return
        bucket = fused.setdefault(tvm.ir.structural_hash(expr.op), [])
        for entry in bucket:
            if tvm.ir.structural_equal(entry[0], expr.op):
                entry[1] += 1
                return
        bucket.append([expr.op, 1])
        order.append(bucket[-1])

    for function in mod.functions.values():
        if isinstance(function, relay.Function):
            relay.analysis.post_order_visit(function, see)
    calls = []
    for function, count in order:
        inner: list[relay.Call] = []
        relay.analysis.post_order_visit(
            function.body,
            lambda e, inner=inner: (
                inner.append(e) if isinstance(e, relay.Call) and isinstance(e.op, tvm.ir.Op) else None
            ),
        )
        calls.extend((call, count) for call in inner)
    return calls


def _signature(call: relay.Call) -> tuple:
    """What makes two calls the same to a template."""
    return (
        call.op.name,
        tvm.ir.structural_hash(call.attrs) if call.attrs is not None else 0,
        tuple(str(arg.checked_type) for arg in call.args),
    )


def _ask_strategies(
    calls: list[tuple[relay.Call, int]], target: Target
) -> dict[tuple, tuple[int, list[tuple]]]:
    """For each distinct call: how often it occurs, and the (task name, arguments) that TVM asks for."""
    counts: Counter[tuple] = Counter()
    first: dict[tuple, relay.Call] = {}
    for call, count in calls:
        signature = _signature(call)
        counts[signature] += count
        first.setdefault(signature, call)
    env = TaskExtractEnv.get()
    silent, autotvm.GLOBAL_SCOPE.silent = autotvm.GLOBAL_SCOPE.silent, True
    asked: dict[tuple, tuple[int, list[tuple]]] = {}
    try:
        for signature, call in first.items():
            if call.op.get_attr("FTVMStrategy") is None:
                continue
            env.reset()
            with env, target:
                try:
                    te_compiler.lower_call(call, _placeholders(call), target)
                except Exception as exc:
                    # What has no template here need not lower either: keep what was asked up to then.
                    if env.get_tasks():
                        raise ArcoError(
                            "extraction-failed", f"{call.op.name} for {target}: {summary(exc)}"
                        ) from exc
            if env.get_tasks():
                asked[signature] = (counts[signature], list(env.get_tasks()))
    finally:
        autotvm.GLOBAL_SCOPE.silent = silent
        env.reset()
    return asked


def _placeholders(call: relay.Call) -> list[te.Tensor]:
    """Inputs of the shapes and types that the call has: all that a template looks at."""
    tensors: list[te.Tensor] = []

    def add(kind: Any) -> None:
        if isinstance(kind, relay.TupleType):
            for inner in kind.fields:
                add(inner)
        else:
            tensors.append(te.placeholder(te_compiler.get_shape(kind.shape), dtype=kind.dtype))

    for arg in call.args:
        add(arg.checked_type)
    return tensors
