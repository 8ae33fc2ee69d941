"""Seeing a region of DRAM as the two-dimensional pattern of a transfer: rows of elements at a stride."""

from dataclasses import dataclass
from typing import NoReturn

import tvm
from tvm import tir

from vta.transform.common import VTALowerError, is_const


@dataclass(frozen=True)
class Transfer:
    """`y_size` rows of `x_size` elements of the memory, `x_stride` apart, from `offset` on."""

    x_size: tir.PrimExpr | int
    y_size: tir.PrimExpr | int
    x_stride: tir.PrimExpr | int
    offset: tir.PrimExpr


@dataclass(frozen=True)
class _Run:
    """A dimension, or several that continue each other: `extent` steps of `stride` values."""

    extent: tir.PrimExpr | int
    stride: tir.PrimExpr | int


def require_compact(buffer: tir.Buffer) -> None:
    """Check that the on-chip side has no gaps: the hardware writes it densely."""
    expected = 1
    for extent, stride in zip(reversed(buffer.shape), reversed(buffer.strides), strict=True):
        if not is_const(stride - expected, 0):
            raise VTALowerError(f"Cannot prove compact: shape={buffer.shape}, strides={buffer.strides}")
        expected = expected * extent


def transfer_of(buffer: tir.Buffer, block: int, scope: str, fold: bool) -> Transfer:
    """The pattern of a DRAM region for a memory with `block` values an element.

    With `fold`, dimensions that continue each other count as one; without, each outer dimension is an axis of
    the transfer (padding needs to know which is which).

    # Errors
    VTALowerError if the region is not whole elements, or needs more than two dimensions.
    """
    if not is_const(tir.indexmod(buffer.elem_offset, block), 0):
        raise VTALowerError(f"scope {scope} need to have block={block}: offset {buffer.elem_offset}")
    outer = _folded(buffer, block, scope) if fold else _unfolded(buffer, block, scope)
    return _two_dimensional(outer, buffer, block, scope)


def _two_dimensional(outer: list[_Run], buffer: tir.Buffer, block: int, scope: str) -> Transfer:
    """`outer`: the dimensions above the element, innermost first."""
    offset = tir.indexdiv(buffer.elem_offset, block)
    if not outer:
        return Transfer(1, 1, 1, offset)
    x = outer[0]
    if len(outer) > 2 or not is_const(x.stride - block, 0):
        _refuse(buffer, block, scope)
    if len(outer) == 1:
        return Transfer(x.extent, 1, x.extent, offset)
    y = outer[1]
    if not is_const(tir.indexmod(y.stride, block), 0):
        _refuse(buffer, block, scope)
    return Transfer(x.extent, y.extent, tir.indexdiv(y.stride, block), offset)


def _folded(buffer: tir.Buffer, block: int, scope: str) -> list[_Run]:
    dims = list(zip(buffer.shape, buffer.strides, strict=True))
    values = 1
    while not is_const(values - block if isinstance(values, tir.PrimExpr) else tir.const(values - block), 0):
        if not dims or not is_const(dims[-1][1] - values, 0):
            raise VTALowerError(f"scope {scope} needs to have block={block}, shape={buffer.shape}")
        values = values * dims.pop()[0]
    runs: list[_Run] = []
    if dims and not is_const(dims[-1][1] - block, 0):
        # Elements that don't follow each other: rows of one.
        runs.append(_Run(1, block))
    analyzer = tvm.arith.Analyzer()
    while dims:
        extent, stride = dims.pop()
        if not is_const(tir.indexmod(stride, block), 0):
            raise VTALowerError(
                f"scope {scope} need to have block={block}, shape={buffer.shape}, strides={buffer.strides}"
            )
        while dims and is_const(extent * stride - dims[-1][1], 0):
            extent = extent * dims.pop()[0]
        runs.append(_Run(analyzer.simplify(extent), stride))
    return runs


def _unfolded(buffer: tir.Buffer, block: int, scope: str) -> list[_Run]:
    dims = [_Run(*dim) for dim in zip(buffer.shape, buffer.strides, strict=True)]
    inner = dims.pop()
    if not is_const(inner.stride, 1):
        _refuse(buffer, block, scope)
    if not is_const(inner.extent, block):
        # An element of several rows.
        rows = dims.pop() if dims else inner
        whole = is_const(rows.stride - inner.extent, 0) and is_const(rows.extent * inner.extent, block)
        if not whole:
            _refuse(buffer, block, scope)
    return dims[::-1]


def _refuse(buffer: tir.Buffer, block: int, scope: str) -> NoReturn:
    raise VTALowerError(
        f"Scope[{scope}]: cannot detect 2d pattern with elem_block={block}: "
        f"shape={buffer.shape}, strides={buffer.strides}"
    )
