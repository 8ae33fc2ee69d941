"""Relay expressions that bring tensors into packed layouts and back."""

import math
from collections.abc import Sequence

import numpy as np
import tvm
from tvm import relay

Shape = tuple[int, ...]


def shape_of(kind) -> Shape:
    """The shape of a Relay tensor type."""
    return tuple(int(extent) for extent in kind.shape)


def rounded_up(extent: int, block: int) -> int:
    """The next multiple of a block."""
    return math.ceil(extent / block) * block


def _reshape(data: relay.Expr, shape: Shape) -> relay.Expr:
    # Constants are computed here and now: TVM would compile a kernel for each.
    if isinstance(data, relay.Constant):
        return _constant(data.data.numpy().reshape(shape))
    return relay.reshape(data, shape)


def _transpose(data: relay.Expr, axes: Sequence[int]) -> relay.Expr:
    if isinstance(data, relay.Constant):
        return _constant(data.data.numpy().transpose(axes))
    return relay.transpose(data, axes)


def _pad(data: relay.Expr, widths: list[list[int]]) -> relay.Expr:
    if isinstance(data, relay.Constant):
        return _constant(np.pad(data.data.numpy(), widths))
    return relay.nn.pad(data, widths)


def _constant(array: np.ndarray) -> relay.Constant:
    return relay.const(tvm.nd.array(np.ascontiguousarray(array)))


def pack_data(data: relay.Expr, shape: Shape, batch: int, block: int) -> relay.Expr:
    """NCHW as (N/batch, C/block, H, W, batch, block); missing channels are zeros.

    # Errors
    ValueError if the batch is not a multiple.
    """
    if shape[0] % batch:
        raise ValueError(f"a batch of {shape[0]} does not fill elements of {batch} rows")
    data, (n, c, h, w) = padded(data, shape, {1: block})
    data = _reshape(data, (n // batch, batch, c // block, block, h, w))
    return _transpose(data, (0, 2, 4, 5, 1, 3))


def unpack_data(data: relay.Expr, shape: Shape, block: int) -> relay.Expr:
    """The inverse, cut to the shape that it had."""
    n, c, h, w = shape
    whole = rounded_up(c, block)
    data = _transpose(data, (0, 4, 1, 5, 2, 3))
    data = _reshape(data, (n, whole, h, w))
    if whole != c:
        data = relay.strided_slice(data, begin=(0, 0, 0, 0), end=shape)
    return data


def pack_kernel(kernel: relay.Expr, shape: Shape, block: int) -> tuple[relay.Expr, Shape]:
    """OIHW as (O/block, I/block, H, W, block, block), and the shape that it had with zeros filled in."""
    kernel, whole = padded(kernel, shape, {0: block, 1: block})
    o, i, h, w = whole
    kernel = _reshape(kernel, (o // block, block, i // block, block, h, w))
    return _transpose(kernel, (0, 2, 4, 5, 1, 3)), whole


def pack_transposed_kernel(kernel: relay.Expr, shape: Shape, block: int) -> tuple[relay.Expr, Shape]:
    """IOHW of a transposed convolution as the packed kernel of the equivalent convolution."""
    kernel, whole = padded(kernel, shape, {0: block, 1: block})
    i, o, h, w = whole
    if isinstance(kernel, relay.Constant):
        kernel = _constant(kernel.data.numpy()[:, :, ::-1, ::-1])
    else:
        kernel = relay.reverse(relay.reverse(kernel, axis=2), axis=3)
    kernel = _reshape(kernel, (i // block, block, o // block, block, h, w))
    return _transpose(kernel, (2, 0, 4, 5, 3, 1)), whole


def pack_channels(values: relay.Expr, shape: Shape, batch: int, block: int) -> relay.Expr:
    """One value a channel, (C, H, W), as (C/block, H, W, batch, block)."""
    values, (c, h, w) = padded(values, shape, {0: block})
    values = _reshape(values, (c // block, block, h, w, 1))
    values = _transpose(values, (0, 2, 3, 4, 1))
    if isinstance(values, relay.Constant):
        return _constant(np.broadcast_to(values.data.numpy(), (c // block, h, w, batch, block)))
    return relay.broadcast_to(values, (c // block, h, w, batch, block))


def padded(data: relay.Expr, shape: Shape, blocks: dict[int, int]) -> tuple[relay.Expr, Shape]:
    """Zeros after the end of some dimensions, up to a multiple of their blocks."""
    whole = tuple(rounded_up(extent, blocks.get(k, 1)) for k, extent in enumerate(shape))
    if whole == tuple(shape):
        return data, whole
    return relay.nn.pad(
        data, [[0, after - before] for before, after in zip(shape, whole, strict=True)]
    ), whole
