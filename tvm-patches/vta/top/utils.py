"""Layouts and shapes of packed tensors."""

from tvm.topi.utils import get_const_tuple

from vta.environment import get_env


def is_packed_layout(layout: str) -> bool:
    """Whether a layout has inner dimensions for batch and channel, as in NCHW1n16c."""
    return layout != "NCHW" and "n" in layout and "c" in layout


def require_blocks(data, kernel) -> None:
    """Check that packed operands have the element sizes of the current environment.

    # Errors
    ValueError with both, where a tensor was packed for another geometry.
    """
    env = get_env()
    for name, tensor, block in (
        ("data", data, (env.BATCH, env.BLOCK_IN)),
        ("kernel", kernel, (env.BLOCK_OUT, env.BLOCK_IN)),
    ):
        found = get_const_tuple(tensor.shape)[-2:]
        if found != block:
            raise ValueError(
                f"the {name} is packed in blocks of {found[0]}x{found[1]}, and {env.MODEL} has "
                f"{block[0]}x{block[1]}: pack it anew, or choose the geometry that it was packed for"
            )
