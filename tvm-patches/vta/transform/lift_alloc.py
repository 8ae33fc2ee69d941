"""Allocations move to the beginning of the loop or virtual thread that they are in."""

import tvm
from tvm import tir

from vta.transform.common import VTALowerError, rebuild_for


def LiftAllocToScopeBegin() -> tvm.transform.Pass:
    """Move allocations up to the innermost loop or virtual thread around them.

    A whole scope of the accelerator then lies below them, which lets scopes be joined (LiftAttrScope).
    """

    def run(func: tir.PrimFunc, _mod, _ctx) -> tir.PrimFunc:
        scopes: list[list[tir.Allocate]] = [[]]

        def enter(node) -> None:
            if _is_scope(node):
                scopes.append([])

        def leave(node):
            if isinstance(node, tir.Allocate):
                scopes[-1].append(node)
                return node.body
            if not _is_scope(node):
                return node
            body = _allocated(scopes.pop(), node.body)
            if isinstance(node, tir.For):
                return rebuild_for(node, body)
            return tir.AttrStmt(node.node, node.attr_key, node.value, body)

        kinds = ["tir.Allocate", "tir.AttrStmt", "tir.For"]
        body = tir.stmt_functor.ir_transform(func.body, enter, leave, kinds)
        if len(scopes) != 1:
            raise VTALowerError("loops and allocations are not nested")
        return func.with_body(_allocated(scopes[0], body))

    return tir.transform.prim_func_pass(run, opt_level=0, name="tir.vta.LiftAllocToScopeBegin")


def _is_scope(node) -> bool:
    return isinstance(node, tir.For) or (isinstance(node, tir.AttrStmt) and node.attr_key == "virtual_thread")


def _allocated(allocations: list[tir.Allocate], body: tir.Stmt) -> tir.Stmt:
    for node in allocations:
        body = tir.Allocate(node.buffer_var, node.dtype, node.extents, node.condition, body, node.annotations)
    return body
