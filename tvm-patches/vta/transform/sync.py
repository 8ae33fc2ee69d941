"""Synchronisation with the accelerator, and copies that a mock environment leaves out."""

import tvm
from tvm import tir

from vta.transform.common import VTALowerError, has_pragma, rebuild_for, rewrite_pass

#: What `trim_loop` leaves of a loop: enough for a steady state, for debugging.
_TRIMMED = 2


def InjectSkipCopy() -> tvm.transform.Pass:
    """Drop copies that are marked `skip_dma_copy`."""

    def skip(stmt: tir.AttrStmt) -> tir.Stmt | None:
        return tir.Evaluate(0) if has_pragma(stmt, "skip_dma_copy") else None

    return rewrite_pass("InjectSkipCopy", ["tir.AttrStmt"], before=skip)


def InjectCoProcSync() -> tvm.transform.Pass:
    """Obey the pragmas `coproc_sync` and `trim_loop`, then let TVM put the tokens in."""

    def obey(stmt: tir.AttrStmt) -> tir.Stmt:
        if has_pragma(stmt, "coproc_sync"):
            sync = tir.call_intrin("int32", "tir.vta.coproc_sync")
            return tir.SeqStmt([stmt.body, tir.Evaluate(sync)])
        if has_pragma(stmt, "trim_loop"):
            if not isinstance(stmt.body, tir.For):
                raise VTALowerError("the pragma trim_loop must be that of a loop")
            return rebuild_for(stmt.body, stmt.body.body, extent=_TRIMMED)
        return stmt

    pragmas = rewrite_pass("SyncPragmas", ["tir.AttrStmt"], after=obey)
    return tvm.transform.Sequential(
        [pragmas, tir.transform.CoProcSync()], opt_level=0, name="tir.vta.InjectCoProcSync"
    )


def CheckAfterSync() -> tvm.transform.Pass:
    """Call `arco_vta_check` after each synchronisation.

    `VTASynchronize` returns nothing. Without this call an error of the accelerator would surface at the next
    use of the device, which may be another kernel's.
    """
    sync = tvm.ir.Op.get("tir.vta.coproc_sync")

    def check(stmt: tir.Evaluate) -> tir.Stmt:
        if not (isinstance(stmt.value, tir.Call) and stmt.value.op.same_as(sync)):
            return stmt
        # The last argument of a packed C function is its module; this one has none.
        nothing = tir.reinterpret("handle", tir.const(0, "uint64"))
        call = tir.call_cpacked("arco_vta_check", nothing)
        return tir.SeqStmt([stmt, tir.Evaluate(call)])

    return rewrite_pass("CheckAfterSync", ["tir.Evaluate"], after=check)
