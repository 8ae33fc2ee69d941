"""Failed candidates as values: AutoTVM's error number, the text that it drops, and a kind to group by."""

import re
import traceback
from typing import Any

from tvm.autotvm.measure import MeasureErrorNo
from tvm.autotvm.task.space import InstantiationError

from arco_tvm.errors import MAX_TEXT, essence

#: How long a kind may be.
_MAX_KIND = 160
# What differs between two failures of the same sort: times, folders, addresses, numbers.
_NOISE = (
    (re.compile(r"\[\d\d:\d\d:\d\d\] "), ""),
    (re.compile(r"(?:/[\w.+-]+)+/([\w.+-]+)"), r"\1"),
    (re.compile(r"0x[0-9a-fA-F]+"), "ADDRESS"),
    (re.compile(r"(?<![A-Za-z])\d+(?:\.\d+)?"), "N"),
    (re.compile(r"\s+"), " "),
)


class DeadlineError(Exception):
    """A build ran over its time limit between two stages."""


def describe_failure(exc: BaseException, stage: str) -> dict[str, Any]:
    """The failure as a value: `{"ok": false, "error_no", "kind", "stage", "text"}`.

    The error number is the one that AutoTVM's LocalBuilder gives the same exception.
    """
    message = str(exc)
    if isinstance(exc, DeadlineError):
        number, message = MeasureErrorNo.BUILD_TIMEOUT, "build timed out"
    elif isinstance(exc, InstantiationError) or "InstantiationError" in message:
        number = MeasureErrorNo.INSTANTIATION_ERROR
        if isinstance(exc, InstantiationError) and exc.args and isinstance(exc.args[0], list):
            message = "; ".join(dict.fromkeys(str(error) for error in exc.args[0]))
    else:
        number = MeasureErrorNo.COMPILE_HOST
    return {
        "ok": False,
        "error_no": int(number),
        "kind": kind_of(message) or type(exc).__name__,
        "stage": stage,
        "text": "".join(traceback.format_tb(exc.__traceback__)) + essence(str(exc))[:MAX_TEXT],
    }


def kind_of(message: str) -> str:
    """One line that is equal for failures of the same sort."""
    lines = essence(message).splitlines()
    if not lines:
        return ""
    kind = lines[0]
    for pattern, replacement in _NOISE:
        kind = pattern.sub(replacement, kind)
    return kind.strip()[:_MAX_KIND]
