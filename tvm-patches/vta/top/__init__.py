"""Operators, schedules and AutoTVM templates for the accelerator, and the packing of networks."""

from vta.top import op
from vta.top.alu import add_packed, multiply_packed, schedule_add_packed, schedule_multiply_packed
from vta.top.bitpack import bitpack
from vta.top.graphpack import graph_pack
from vta.top.vta_conv2d import conv2d_packed, schedule_conv2d_packed
from vta.top.vta_conv2d_transpose import conv2d_transpose_packed, schedule_conv2d_transpose_packed
from vta.top.vta_dense import dense_packed, schedule_dense_packed
from vta.top.vta_group_conv2d import group_conv2d_packed, schedule_group_conv2d_packed

__all__ = [
    "add_packed",
    "bitpack",
    "conv2d_packed",
    "conv2d_transpose_packed",
    "dense_packed",
    "graph_pack",
    "group_conv2d_packed",
    "multiply_packed",
    "op",
    "schedule_add_packed",
    "schedule_conv2d_packed",
    "schedule_conv2d_transpose_packed",
    "schedule_dense_packed",
    "schedule_group_conv2d_packed",
    "schedule_multiply_packed",
]
