"""Several narrow values in one wider one."""

from tvm import te, tir
from tvm.topi import tag


def bitpack(data: te.Tensor, bits: int, pack_type: str = "int8", name: str = "bitpack") -> te.Tensor:
    """Pack the last dimension: `8 / bits` neighbours in one value, the first in the lowest bits.

    # Errors
    ValueError if the last dimension is not whole groups.
    """
    width = int("".join(filter(str.isdigit, pack_type)))
    lanes = width // bits
    *outer, last = data.shape
    if int(last) % lanes:
        raise ValueError(f"{last} values of {bits} bits do not fill groups of {lanes}")
    mask = tir.const((1 << bits) - 1, pack_type)

    def packed(*index):
        *rest, position = index
        value = tir.const(0, pack_type)
        for lane in range(lanes):
            narrow = data(*rest, position * lanes + lane).astype(pack_type) & mask
            value = value | (narrow << tir.const(lane * bits, pack_type))
        return value

    return te.compute((*outer, int(last) // lanes), packed, name=name, tag=tag.INJECTIVE)
