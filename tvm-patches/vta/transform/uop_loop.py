"""Loops of micro-operations: what the sequencer can repeat by itself is not written out."""

import tvm
from tvm import tir

from vta.environment import get_env
from vta.transform.common import rewrite_pass

#: Loops of a GEMM or ALU instruction (spec section 2: iter_out, iter_in).
MAX_LOOPS = 2
#: Where in a `uop_push` the three indices are.
_INDICES = slice(2, 5)
_TRANSPARENT = ("tir.vta.command_handle", "tir.tvm_thread_context")


def FoldUopLoop() -> tvm.transform.Pass:
    """Turn the outermost loops around the micro-operations of the matrix unit into loops of the instruction.

    At most two, and only those in which the three indices advance by constants. What is inside runs at the
    time of recording and pushes one micro-operation each time.
    """
    return rewrite_pass("FoldUopLoop", ["tir.AttrStmt"], before=_fold)


def _fold(stmt: tir.AttrStmt) -> tir.Stmt | None:
    if stmt.attr_key != "coproc_uop_scope" or not isinstance(stmt.value, tir.StringImm):
        return None
    if stmt.value.value != get_env().dev.vta_push_uop.value:
        return None
    body, begins = stmt.body, []
    while len(begins) < MAX_LOOPS and isinstance(body, tir.For):
        folded = _strip(body)
        if folded is None:
            break
        steps, extent, body = folded[0], body.extent, folded[1]
        begins.append(tir.Evaluate(tir.call_extern("int32", "VTAUopLoopBegin", extent, *steps)))
    ends = [tir.Evaluate(tir.call_extern("int32", "VTAUopLoopEnd")) for _ in begins]
    # A node that is given back as it is would be descended into: nothing inside needs it.
    return tir.AttrStmt(stmt.node, stmt.attr_key, stmt.value, tir.stmt_seq(*begins, body, *ends))


def _strip(loop: tir.For) -> tuple[list[tir.PrimExpr], tir.Stmt] | None:
    """The steps of the three indices, and the body at its first iteration; None if they vary."""
    push = tvm.ir.Op.get("tir.vta.uop_push")
    steps: list[tir.PrimExpr] | None = None
    linear = True

    def first_iteration(call: tir.Call) -> tir.Call:
        nonlocal steps, linear
        if not call.op.same_as(push):
            if call.op.name not in _TRANSPARENT:
                raise RuntimeError(f"{call.op.name} among micro-operations")
            return call
        found = [tvm.arith.detect_linear_equation(index, [loop.loop_var]) for index in call.args[_INDICES]]
        if not all(found):
            linear = False
            return call
        new, base = [step for step, _ in found], [start for _, start in found]
        if steps is None:
            steps = new
        elif not all(map(tvm.ir.structural_equal, steps, new)):
            linear = False
        args = [*call.args[: _INDICES.start], *base, *call.args[_INDICES.stop :]]
        return tir.call_intrin("int32", push, *args)

    body = tir.stmt_functor.ir_transform(loop.body, None, first_iteration, ["tir.Call"])
    if not linear or steps is None or _uses(body, loop.loop_var):
        return None
    return steps, body


def _uses(stmt: tir.Stmt, var: tir.Var) -> bool:
    found = False

    def look(node) -> None:
        nonlocal found
        found |= node.same_as(var)

    tir.stmt_functor.post_order_visit(stmt, look)
    return found
