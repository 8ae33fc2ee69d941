"""What the passes share: pragmas, rewriting statements, constants."""

import functools
from collections.abc import Callable

import tvm
from tvm import tir


class VTALowerError(RuntimeError):
    """A schedule that the accelerator cannot run."""


def has_pragma(stmt: tir.AttrStmt, name: str) -> bool:
    """Whether a statement is the scope of a pragma."""
    # Each attribute of a node is a call of TVM, and passes ask this of every node.
    key = stmt.attr_key
    if key != "pragma_scope":
        return key == f"pragma_{name}"
    value = stmt.value
    return isinstance(value, tir.StringImm) and value.value == name


def rewrite_pass(
    name: str,
    kinds: list[str],
    *,
    before: Callable | None = None,
    after: Callable | None = None,
) -> tvm.transform.Pass:
    """A function pass that offers nodes of some kinds to `before` or `after` their children."""

    def run(func: tir.PrimFunc, _mod, _ctx) -> tir.PrimFunc:
        return func.with_body(tir.stmt_functor.ir_transform(func.body, before, after, kinds))

    return tir.transform.prim_func_pass(run, opt_level=0, name=f"tir.vta.{name}")


def rebuild_for(loop: tir.For, body: tir.Stmt, extent=None) -> tir.For:
    """A loop with another body or extent."""
    return tir.For(
        loop.loop_var,
        loop.min,
        loop.extent if extent is None else extent,
        loop.kind,
        body,
        loop.thread_binding,
        loop.annotations,
    )


@functools.cache
def _analyzer() -> tvm.arith.Analyzer:
    # Making one takes longer than simplifying; without bindings it keeps nothing between two uses.
    return tvm.arith.Analyzer()


def is_const(expr, value: int) -> bool:
    """Whether an expression is provably this constant."""
    if isinstance(expr, int):
        return expr == value
    simple = expr if isinstance(expr, tir.IntImm) else _analyzer().simplify(expr)
    return isinstance(simple, tir.IntImm) and simple.value == value
