"""A dispatch context that notes what the compiler asked for: which workloads had a record, which had none."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tvm.autotvm.task.dispatcher import ApplyHistoryBest, DispatchContext, FallbackContext
from tvm.relay.backend import te_compiler

from arco_tvm import compat
from arco_tvm.records import Record

compat.quicken_relay()


class Noting(ApplyHistoryBest):
    """`ApplyHistoryBest` that remembers its answers.

    `applied` and `missing` are the workloads in the order of the first question. A workload that TVM itself
    made out of another (a convolution in a packed layout) has its parent's schedule and counts as neither.
    """

    def __init__(self, records: Iterable[Record]):
        super().__init__(list(records))
        self.applied: dict[tuple, str] = {}
        self.missing: dict[tuple, None] = {}

    def _query_inside(self, target: Any, workload: Any) -> Any:
        found = super()._query_inside(target, workload)
        if workload is None:
            return found
        if found is None:
            self.missing.setdefault(workload)
        elif not any((key, workload) in self._best_user_defined for key in (target.model, *target.keys)):
            self.applied.setdefault(workload, str(found))
        return found


@contextmanager
def noting(records: Iterable[Record]) -> Iterator[Noting]:
    """Compile with these records and no others, and with nothing left over from an earlier compilation."""
    outer, DispatchContext.current = DispatchContext.current, FallbackContext()
    te_compiler.get().clear()
    try:
        with Noting(records) as context:
            yield context
    finally:
        DispatchContext.current = outer
        te_compiler.get().clear()


def workload_json(workload: tuple) -> dict[str, Any]:
    """A workload as a log names it."""
    return {"name": workload[0], "args": list(workload[1:])}
