"""Transposed convolution: micro-operations for the products that are not with an inserted zero."""

import tvm
from tvm import tir

from vta import intrin
from vta.environment import get_env
from vta.transform.common import VTALowerError, has_pragma, rewrite_pass


def InjectConv2DTransposeSkip() -> tvm.transform.Pass:
    """Turn what is marked `conv2d_transpose_gemm` into micro-operations.

    With a stride the data is dilated with zeros. Their products are not computed: the micro-operation is
    pushed under the condition that the data is not such a zero.
    """

    def inject(stmt: tir.AttrStmt) -> tir.Stmt | None:
        if not has_pragma(stmt, "conv2d_transpose_gemm"):
            return None
        store = _innermost(stmt.body)
        loads: list[tir.BufferLoad] = []
        conditions: list[tir.PrimExpr] = []

        def look(node) -> None:
            if isinstance(node, tir.ProducerLoad | tir.BufferLoad):
                loads.append(node)
            elif isinstance(node, tir.Select):
                conditions.append(node.condition)

        tir.stmt_functor.post_order_visit(store.value, look)
        return _update(store, loads, conditions) if loads else _reset(store)

    return rewrite_pass("InjectConv2DTransposeSkip", ["tir.AttrStmt"], before=inject)


def _innermost(stmt: tir.Stmt):
    """The store inside loops and pragmas."""
    while not isinstance(stmt, tir.BufferStore | tir.ProducerStore):
        if isinstance(stmt, tir.For | tir.AttrStmt | tir.LetStmt):
            stmt = stmt.body
        elif isinstance(stmt, tir.IfThenElse):
            raise VTALowerError(f"the tiles of a transposed convolution must be whole: {stmt.condition}")
        else:
            raise VTALowerError(f"no store inside the pragma conv2d_transpose_gemm: {type(stmt).__name__}")
    return stmt


def _reset(store) -> tir.Stmt:
    env = get_env()
    _, _, acc = intrin.element_buffers(env)
    return _bound(acc, store.buffer, store.indices, (env.BATCH, env.BLOCK_OUT), intrin.gemm_reset(env, acc))


def _update(store, loads: list, conditions: list) -> tir.Stmt:
    env = get_env()
    if len(loads) < 3:
        raise VTALowerError("a transposed convolution must read its result, its data and its kernel")
    _, data, kernel = loads[-3:]
    inp, wgt, acc = intrin.element_buffers(env)
    body = intrin.gemm_push(env, acc, inp, wgt)
    if conditions:
        body = tir.IfThenElse(conditions[0], body, None)
    body = _bound(acc, store.buffer, store.indices, (env.BATCH, env.BLOCK_OUT), body)
    body = _bound(wgt, kernel.buffer, kernel.indices, (env.BLOCK_OUT, env.BLOCK_IN), body)
    return _bound(inp, data.buffer, data.indices, (env.BATCH, env.BLOCK_IN), body)


def _bound(element: tir.Buffer, tensor, indices, shape: tuple[int, int], body: tir.Stmt) -> tir.Stmt:
    """The body with an element's buffer bound to the place in a tensor that the four outer indices name."""
    region = []
    for index in indices[:4]:
        region += [index, 1]
    region += [0, shape[0], 0, shape[1]]
    place = tir.call_intrin("handle", "tir.tvm_tuple", *region)
    return tir.AttrStmt([element, tensor], "buffer_bind_scope", place, body)
