"""Packing a quantised network: its tensors in the accelerator's layouts from one operator to another."""

from collections.abc import Iterator
from dataclasses import dataclass

import tvm
from tvm import relay

from vta.top.pack_rules import Packer, Value


def graph_pack(
    expr: relay.Function,
    bfactor: int,
    cfactor: int,
    weight_bits: int,
    start_name: str | None = "nn.max_pool2d",
    stop_name: str | None = "nn.global_avg_pool2d",
    start_name_idx: int | None = None,
    stop_name_idx: int | None = None,
    count_meta: bool = False,
    device_annot: bool = False,
    annot_start_name: str = "nn.conv2d",
    annot_end_name: str = "annotation.stop_fusion",
) -> relay.Function:
    """Pack a function between two operators.

    The result of the operator `start_name` is packed, and so is what follows, in blocks of `bfactor` batches
    and `cfactor` channels; before `stop_name` it is unpacked. An index picks one of several operators of that
    name: its number in `expr.astext(show_meta_data=False)`, with constants counted if `count_meta`. None for
    a name stands for the function's beginning or end: then whatever can be packed is, from the first
    quantised convolution on.

    An operator that cannot work on packed data gets it unpacked.

    # Errors
    ValueError if there is no such operator, the function cannot be packed, or weights have less than 8 bits.
    """
    if weight_bits != 8:
        raise ValueError(f"weights of {weight_bits} bits: convolutions have int8 weights")
    if device_annot:
        raise ValueError(
            "device_annot: TVM 0.19 plans devices by itself; operators that stay on the host need none"
        )
    _ = annot_start_name, annot_end_name
    if start_name is not None and start_name == stop_name and not _ordered(start_name_idx, stop_name_idx):
        raise ValueError(f"packing from {start_name} to {stop_name} needs the index of each")
    function = _infer(relay.transform.ToANormalForm(), expr)
    bounds = _Bounds(start_name, start_name_idx, stop_name, stop_name_idx)
    packer = Packer(bfactor, cfactor)
    body = _pack(function, packer, bounds, count_meta)
    if not packer.packed_any:
        raise ValueError(
            "nothing to pack: no convolution with int8 operands and int32 results"
            + (f" between {start_name} and {stop_name}" if start_name or stop_name else "")
            + "; quantise the network first (relay.quantize)"
        )
    packed = relay.Function(function.params, body, None, function.type_params, function.attrs)
    return _infer(relay.transform.InferType(), packed)


@dataclass
class _Bounds:
    """Where packing begins and ends, and whether that was seen."""

    start_name: str | None
    start_index: int | None
    stop_name: str | None
    stop_index: int | None

    def starts(self, name: str, index: int) -> bool:
        return name == self.start_name and self.start_index in (None, index)

    def stops(self, name: str, index: int) -> bool:
        return name == self.stop_name and self.stop_index in (None, index)


def _pack(function: relay.Function, packer: Packer, bounds: _Bounds, count_meta: bool) -> relay.Expr:
    values: dict[relay.Var, Value] = {param: Value(param, param.checked_type) for param in function.params}
    inside, begun, ended, index = bounds.start_name is None, bounds.start_name is None, False, 0
    body: relay.Expr = function.body
    for var, bound in _bindings(function.body):
        name = bound.op.name if isinstance(bound, relay.Call) and isinstance(bound.op, tvm.ir.Op) else ""
        if inside and bounds.stops(name, index):
            inside, ended = False, True
        values[var] = packer.rewrite(bound, values, inside)
        if not begun and bounds.starts(name, index):
            inside = begun = True
            values[var] = packer.entered(values[var])
        if count_meta or not isinstance(bound, relay.Constant):
            index += 1
    while isinstance(body, relay.Let):
        body = body.body
    if not begun:
        raise ValueError(f"no operator {bounds.start_name} to begin packing at")
    if not ended and bounds.stop_name is not None:
        raise ValueError(f"no operator {bounds.stop_name} after the beginning, to end packing at")
    return packer.unpacked(packer.value_of(body, values))


def _bindings(body: relay.Expr) -> Iterator[tuple[relay.Var, relay.Expr]]:
    while isinstance(body, relay.Let):
        yield body.var, body.value
        body = body.body


def _infer(transform: tvm.transform.Pass, expr: relay.Function) -> relay.Function:
    module = tvm.IRModule.from_expr(expr)
    passes = tvm.transform.Sequential([relay.transform.InferType(), transform, relay.transform.InferType()])
    return passes(module)["main"]


def _ordered(start: int | None, stop: int | None) -> bool:
    return start is not None and stop is not None and start < stop
