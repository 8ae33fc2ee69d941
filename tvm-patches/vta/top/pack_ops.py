"""Relay expressions that bring tensors into packed layouts and back."""

import math

from tvm import relay

Shape = tuple[int, ...]


def shape_of(kind) -> Shape:
    """The shape of a Relay tensor type."""
    return tuple(int(extent) for extent in kind.shape)


def rounded_up(extent: int, block: int) -> int:
    """The next multiple of a block."""
    return math.ceil(extent / block) * block


def pack_data(data: relay.Expr, shape: Shape, batch: int, block: int) -> relay.Expr:
    """NCHW as (N/batch, C/block, H, W, batch, block); missing channels are zeros.

    # Errors
    ValueError if the batch is not a multiple.
    """
    if shape[0] % batch:
        raise ValueError(f"a batch of {shape[0]} does not fill elements of {batch} rows")
    data, (n, c, h, w) = padded(data, shape, {1: block})
    data = relay.reshape(data, (n // batch, batch, c // block, block, h, w))
    return relay.transpose(data, (0, 2, 4, 5, 1, 3))


def unpack_data(data: relay.Expr, shape: Shape, block: int) -> relay.Expr:
    """The inverse, cut to the shape that it had."""
    n, c, h, w = shape
    whole = rounded_up(c, block)
    data = relay.transpose(data, (0, 4, 1, 5, 2, 3))
    data = relay.reshape(data, (n, whole, h, w))
    if whole != c:
        data = relay.strided_slice(data, begin=(0, 0, 0, 0), end=shape)
    return data


def pack_kernel(kernel: relay.Expr, shape: Shape, block: int) -> tuple[relay.Expr, Shape]:
    """OIHW as (O/block, I/block, H, W, block, block), and the shape that it had with zeros filled in."""
    kernel, whole = padded(kernel, shape, {0: block, 1: block})
    o, i, h, w = whole
    kernel = relay.reshape(kernel, (o // block, block, i // block, block, h, w))
    return relay.transpose(kernel, (0, 2, 4, 5, 1, 3)), whole


def pack_transposed_kernel(kernel: relay.Expr, shape: Shape, block: int) -> tuple[relay.Expr, Shape]:
    """IOHW of a transposed convolution as the packed kernel of the equivalent convolution."""
    kernel, whole = padded(kernel, shape, {0: block, 1: block})
    i, o, h, w = whole
    kernel = relay.reverse(relay.reverse(kernel, axis=2), axis=3)
    kernel = relay.reshape(kernel, (i // block, block, o // block, block, h, w))
    return relay.transpose(kernel, (2, 0, 4, 5, 3, 1)), whole


def pack_channels(values: relay.Expr, shape: Shape, batch: int, block: int) -> relay.Expr:
    """One value a channel, (C, H, W), as (C/block, H, W, batch, block)."""
    values, (c, h, w) = padded(values, shape, {0: block})
    values = relay.reshape(values, (c // block, block, h, w, 1))
    values = relay.transpose(values, (0, 2, 3, 4, 1))
    return relay.broadcast_to(values, (c // block, h, w, batch, block))


def padded(data: relay.Expr, shape: Shape, blocks: dict[int, int]) -> tuple[relay.Expr, Shape]:
    """Zeros after the end of some dimensions, up to a multiple of their blocks."""
    whole = tuple(rounded_up(extent, blocks.get(k, 1)) for k, extent in enumerate(shape))
    if whole == tuple(shape):
        return data, whole
    return relay.nn.pad(
        data, [[0, after - before] for before, after in zip(shape, whole, strict=True)]
    ), whole
