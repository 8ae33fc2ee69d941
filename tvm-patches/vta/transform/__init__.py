"""Lowering passes that turn a scheduled loop nest into calls of the accelerator's runtime."""

from vta.transform.alu import AnnotateALUCoProcScope, InjectALUIntrin
from vta.transform.cpu_access import CPUAccessRewrite
from vta.transform.dma import InjectDMAIntrin
from vta.transform.lift_alloc import LiftAllocToScopeBegin
from vta.transform.sync import CheckAfterSync, InjectCoProcSync, InjectSkipCopy
from vta.transform.transpose_skip import InjectConv2DTransposeSkip
from vta.transform.uop_loop import FoldUopLoop

__all__ = [
    "AnnotateALUCoProcScope",
    "CPUAccessRewrite",
    "CheckAfterSync",
    "FoldUopLoop",
    "InjectALUIntrin",
    "InjectCoProcSync",
    "InjectConv2DTransposeSkip",
    "InjectDMAIntrin",
    "InjectSkipCopy",
    "LiftAllocToScopeBegin",
]
