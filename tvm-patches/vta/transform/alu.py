"""Elementwise loop nests on accumulators: the pragma `alu` becomes micro-operations of the vector unit."""

from dataclasses import dataclass

import tvm
from tvm import tir

from vta.environment import get_env
from vta.transform.common import VTALowerError, has_pragma, is_const, rewrite_pass


def AnnotateALUCoProcScope() -> tvm.transform.Pass:
    """Say of each `alu` nest that the compute module runs it, as one kernel of micro-operations."""

    def annotate(stmt: tir.AttrStmt) -> tir.Stmt:
        if has_pragma(stmt, "skip_alu"):
            return tir.Evaluate(0)
        if not has_pragma(stmt, "alu"):
            return stmt
        dev = get_env().dev
        builder = tir.ir_builder.create()
        builder.scope_attr(dev.vta_axis, "coproc_scope", dev.get_task_qid(dev.QID_COMPUTE))
        builder.scope_attr(dev.vta_axis, "coproc_uop_scope", dev.vta_push_alu)
        builder.emit(stmt)
        return builder.get()

    return rewrite_pass("AnnotateALUCoProcScope", ["tir.AttrStmt"], after=annotate)


def InjectALUIntrin() -> tvm.transform.Pass:
    """Turn each `alu` nest into `VTAUopLoopBegin`, `VTAUopPush`, `VTAUopLoopEnd`."""

    def inject(stmt: tir.AttrStmt) -> tir.Stmt:
        return _nest(stmt.body) if has_pragma(stmt, "alu") else stmt

    return rewrite_pass("InjectALUIntrin", ["tir.AttrStmt"], after=inject)


@dataclass
class _Loop:
    """A loop, with how far destination and source advance in one step."""

    extent: tir.PrimExpr
    dst: tir.PrimExpr
    src: tir.PrimExpr


def _nest(body: tir.Stmt) -> tir.Stmt:
    env = get_env()
    variables, extents = [], []
    while isinstance(body, tir.For):
        variables.append(body.loop_var)
        extents.append(body.extent)
        body = body.body
    if not isinstance(body, tir.BufferStore):
        raise VTALowerError(f"Expression not recognized {type(body).__name__}: {body}")
    opcode, left, right = _operation(body.value)
    store = _Access(body.buffer, body.indices[0], variables)
    source, immediate = _operands(store, left, right, variables)
    loops = [_Loop(*loop) for loop in zip(extents, store.steps, source.steps, strict=True)]
    outer = _above_element(loops)
    element = env.BATCH * env.BLOCK_OUT
    whole = all(is_const(tir.indexmod(base, element), 0) for base in (store.base, source.base))
    if not whole:
        raise VTALowerError(f"an ALU operand does not begin at an element of {element} values")
    analyzer = tvm.arith.Analyzer()

    def elements(values) -> tir.PrimExpr:
        return analyzer.simplify(tir.floordiv(values, element))

    for loop in outer:
        loop.dst, loop.src = elements(loop.dst), elements(loop.src)
    outer = _merged(outer, analyzer)
    builder = tir.ir_builder.create()
    for loop in outer:
        builder.emit(tir.call_extern("int32", "VTAUopLoopBegin", loop.extent, loop.dst, loop.src, 0))
    # mode ALU, no reset, indices without a weight
    builder.emit(
        tir.call_intrin(
            "int32",
            "tir.vta.uop_push",
            1,
            0,
            elements(store.base),
            elements(source.base),
            0,
            opcode,
            int(immediate is not None),
            0 if immediate is None else immediate,
        )
    )
    for _ in outer:
        builder.emit(tir.call_extern("int32", "VTAUopLoopEnd"))
    return builder.get()


def _operation(value: tir.PrimExpr) -> tuple[int, tir.PrimExpr, tir.PrimExpr]:
    """Opcode and operands. A copy is a shift by nothing, a shift to the left one by a negative amount."""
    dev = get_env().dev
    binary = {
        tir.Add: dev.ALU_OPCODE_ADD,
        tir.Mul: dev.ALU_OPCODE_MUL,
        tir.Min: dev.ALU_OPCODE_MIN,
        tir.Max: dev.ALU_OPCODE_MAX,
    }
    if type(value) in binary:
        return binary[type(value)], value.a, value.b
    if isinstance(value, tir.Sub) and isinstance(value.b, tir.IntImm):
        return dev.ALU_OPCODE_ADD, value.a, tir.const(-value.b.value, value.b.dtype)
    if isinstance(value, tir.Call) and value.op.name == "tir.shift_right":
        return dev.ALU_OPCODE_SHR, *value.args
    if isinstance(value, tir.Call) and value.op.name == "tir.shift_left":
        return dev.ALU_OPCODE_SHR, value.args[0], tvm.arith.Analyzer().simplify(-value.args[1])
    if isinstance(value, tir.BufferLoad):
        return dev.ALU_OPCODE_SHR, value, tir.const(0, "int32")
    raise VTALowerError(f"Expression not recognized {type(value).__name__}: {value}")


class _Access:
    """Where an operand lies: its buffer, where it begins, how far each loop moves it, in values."""

    def __init__(self, buffer: tir.Buffer, index: tir.PrimExpr, variables: list[tir.Var]):
        self.buffer = buffer
        found = tvm.arith.detect_linear_equation(index, variables)
        if not found:
            raise VTALowerError(f"the ALU index {index} is not linear in its loops")
        *self.steps, self.base = found

    def moves_like(self, other: "_Access") -> bool:
        return all(map(tvm.ir.structural_equal, [*self.steps, self.base], [*other.steps, other.base]))


def _operands(store: _Access, left, right, variables) -> tuple[_Access, tir.PrimExpr | None]:
    """The source, and the immediate if the other operand is one.

    The unit computes `dst = op(dst, src)`: one operand must be the destination itself. With an immediate too,
    but there a copy may bring another operand in (dst = src >> 0 does not read dst).
    """
    accesses = []
    for operand in (left, right):
        if isinstance(operand, tir.IntImm):
            continue
        if not isinstance(operand, tir.BufferLoad):
            raise VTALowerError(f"Expression not recognized {type(operand).__name__}: {operand}")
        access = _Access(operand.buffer, operand.indices[0], variables)
        if not access.buffer.data.same_as(store.buffer.data):
            raise VTALowerError(f"ALU operand {operand} is not in the memory of the result")
        accesses.append(access)
    if not accesses:
        raise VTALowerError("an ALU operation needs an operand that is not a constant")
    if len(accesses) == 1:
        return accesses[0], right if isinstance(right, tir.IntImm) else left
    if accesses[0].moves_like(store):
        return accesses[1], None
    if accesses[1].moves_like(store):
        return accesses[0], None
    raise VTALowerError("an ALU operation must write over one of its operands")


def _above_element(loops: list[_Loop]) -> list[_Loop]:
    """The loops around an element, after checking that the innermost ones run over exactly one."""
    env = get_env()
    inner = [(env.BLOCK_OUT, 1)]
    if env.BATCH > 1:
        inner.insert(0, (env.BATCH, env.BLOCK_OUT))
    if len(loops) < len(inner):
        raise VTALowerError(f"an ALU nest must run over whole elements of {env.BATCH}x{env.BLOCK_OUT} values")
    split = len(loops) - len(inner)
    for loop, (extent, step) in zip(loops[split:], inner, strict=True):
        fits = is_const(loop.extent, extent) and is_const(loop.dst, step) and is_const(loop.src, step)
        if not fits:
            raise VTALowerError(
                f"an ALU nest must run over whole elements of {env.BATCH}x{env.BLOCK_OUT} values: "
                f"extent {loop.extent}, step {loop.dst} and {loop.src}"
            )
    return loops[:split]


def _merged(loops: list[_Loop], analyzer: tvm.arith.Analyzer) -> list[_Loop]:
    """Loops that continue each other as one."""
    merged: list[_Loop] = []
    for loop in reversed(loops):
        if merged:
            inner = merged[-1]
            continues = all(
                analyzer.can_prove_equal(outer_step, inner_step * inner.extent)
                for outer_step, inner_step in ((loop.dst, inner.dst), (loop.src, inner.src))
            )
            if continues:
                inner.extent = analyzer.simplify(inner.extent * loop.extent)
                continue
        merged.append(loop)
    return merged[::-1]
