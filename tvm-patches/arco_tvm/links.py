"""Which operators read what others write: there, data layouts that disagree cost a transformation.

Some templates (`conv2d_NCHWc.x86`) let each operator choose the layout of its data. TVM then transforms the
data wherever a reader wants another layout than the writer has. A log is tuned operator by operator; these
links say what its choices cost between operators.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import tvm
from tvm import relay
from tvm.relay.op.op import OpPattern


@dataclass(frozen=True)
class Link:
    """Two operators whose data meet.

    `first` and `second` are what `operator_of` calls them. The second reads what the first writes; or, if
    `join`, an elementwise operator joins the outputs of both.
    """

    first: int
    second: int
    join: bool
    bytes: int


#: Not elementwise, but they keep whatever layout the channels have.
_KEEPING = {"nn.max_pool2d", "nn.avg_pool2d", "nn.global_avg_pool2d", "nn.batch_norm", "nn.dropout"}


def links(mod: tvm.IRModule, operator_of: Callable[[relay.Call], int | None]) -> Counter[Link]:
    """The links of an optimised network, with the number of their occurrences.

    `operator_of` names the operator that a call is, or returns None for one that has no layout to choose.
    """
    main = relay.transform.DefuseOps()(relay.transform.InferType()(mod))["main"]
    found: Counter[Link] = Counter()
    #: Of each expression: the operator whose layout it has.
    writer: dict[relay.Expr, int] = {}

    def see(expr: relay.Expr) -> None:
        if isinstance(expr, relay.TupleGetItem) and expr.tuple_value in writer:
            writer[expr] = writer[expr.tuple_value]
        elif isinstance(expr, relay.Tuple):
            _follow(expr, expr.fields)
        elif isinstance(expr, relay.Call) and isinstance(expr.op, tvm.ir.Op):
            operator = operator_of(expr)
            if operator is not None:
                if expr.args and expr.args[0] in writer:
                    found[Link(writer[expr.args[0]], operator, False, _bytes(expr.args[0]))] += 1
                writer[expr] = operator
            elif _keeps_layout(expr.op):
                _follow(expr, expr.args)

    def _follow(expr: relay.Expr, inputs: list[relay.Expr]) -> None:
        # TVM transforms the later inputs to the layout of the first (BinaryBroadcastLayout).
        written = [arg for arg in inputs if arg in writer]
        if not written:
            return
        writer[expr] = writer[written[0]]
        for other in written[1:]:
            found[Link(writer[written[0]], writer[other], True, _bytes(other))] += 1

    relay.analysis.post_order_visit(main, see)
    return found


def _keeps_layout(op: tvm.ir.Op) -> bool:
    if op.name in _KEEPING or op.name == "concatenate":
        return True
    return op.get_attr("TOpPattern") in (OpPattern.ELEMWISE, OpPattern.BROADCAST)


def _bytes(expr: relay.Expr) -> int:
    kind = expr.checked_type
    if isinstance(kind, relay.TupleType):
        return sum(_type_bytes(field) for field in kind.fields)
    return _type_bytes(kind)


def _type_bytes(kind: relay.TensorType) -> int:
    size = tvm.DataType(kind.dtype)
    elements = 1
    for dim in kind.shape:
        # An open dimension counts as one: its size is not known.
        elements *= int(dim) if isinstance(dim, tvm.tir.IntImm) else 1
    return elements * size.bits * size.lanes // 8
