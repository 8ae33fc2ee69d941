"""Tuning logs and geometries: a record is for the geometry that it was measured on.

TVM looks a record up by the target's model, and if there is none by its keys. A log of another geometry with
the same element sizes would then apply silently, and could overflow the accelerator's buffers.
"""

import functools
import logging

from tvm.autotvm.task.dispatcher import ApplyHistoryBest

_KEY = "vta"
logger = logging.getLogger("vta")


def refuse_other_geometries() -> None:
    """Make `autotvm.apply_history_best` pass over records of another geometry, and say so.

    What has no record of its own geometry gets TVM's fallback schedule. Other targets are as they were.
    """
    original = ApplyHistoryBest._query_inside
    if getattr(original, "refuses_other_geometries", False):
        return

    @functools.wraps(original)
    def query(self, target, workload):
        if target is None or _KEY not in target.keys or str(target.model) == "unknown":
            return original(self, target, workload)
        key = (target.model, workload)
        if key in self._best_user_defined:
            return self._best_user_defined[key]
        if key in self.best_by_model:
            return self.best_by_model[key][0].config
        _warn(self, str(target.model), workload)
        return None

    query.refuses_other_geometries = True
    ApplyHistoryBest._query_inside = query


def _warn(context: ApplyHistoryBest, model: str, workload: tuple) -> None:
    others = {
        str(record[0].target.model)
        for (_, known), record in context.best_by_model.items()
        if known == workload and _KEY in record[0].target.keys
    }
    warned = context.__dict__.setdefault("_warned_geometries", set())
    for other in sorted(others - warned):
        warned.add(other)
        logger.warning(
            "the log has records of %s, which do not apply to %s: tune for it, or compile for theirs",
            other,
            model,
        )
