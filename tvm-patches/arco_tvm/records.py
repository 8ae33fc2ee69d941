"""Reading AutoTVM logs that something happened to, and records of other hardware.

`autotvm.record.load_from_file` raises at a blank line and at a line that a killed tuner left half written,
and `ApplyHistoryBest` applies a record of any CPU to any other. Here both are told instead.
"""

from dataclasses import dataclass, field
from typing import Any

from tvm import autotvm
from tvm.target import Target

from arco_tvm.errors import ArcoError, summary

Record = tuple[autotvm.measure.MeasureInput, autotvm.measure.MeasureResult]
#: What makes code for one device wrong or slow on another. TVM matches records by the target's keys only.
_IDENTITY = ("mcpu", "mattr", "arch", "device", "model", "mtriple")


@dataclass
class Log:
    """The usable records of a log, and what was wrong with the others."""

    records: list[Record] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failed: int = 0


def read(paths: list[str]) -> Log:
    """Read logs line by line; a line that cannot be used is a warning and nothing more.

    # Errors
    "unreadable-log" if a file cannot be opened.
    """
    log = Log()
    for path in paths:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = file.read().split("\n")
        except OSError as exc:
            raise ArcoError(
                "unreadable-log", f"cannot read {path}: {exc.strerror}", "check the path"
            ) from exc
        if lines[-1] == "":
            lines.pop()
        for number, line in enumerate(lines, start=1):
            _read_line(log, f"{path}:{number}", line)
    return log


def _read_line(log: Log, place: str, line: str) -> None:
    if line.startswith("#"):
        return
    if not line.strip():
        log.warnings.append(f"{place}: blank line skipped (AutoTVM's own reader stops here with an error)")
        return
    try:
        record = autotvm.record.decode(line)
    except Exception as exc:
        log.warnings.append(f"{place}: skipped, {_why(line, exc)}")
        return
    if record is None:
        log.warnings.append(f"{place}: skipped, the log format is older than TVM 0.19 reads")
    elif record[1].error_no != 0:
        log.failed += 1
    else:
        log.records.append(record)


def _why(line: str, exc: Exception) -> str:
    if isinstance(exc, ValueError) and not line.rstrip().endswith("}"):
        return "the line is cut off"
    return summary(exc)


def of_this_target(log: Log, target: Target) -> list[Record]:
    """The records that TVM may apply to `target`, with a warning for every other target among them.

    Records of another VTA geometry are left out: they would apply, and overflow the accelerator's buffers.
    """
    kept, seen = [], {}
    for record in log.records:
        theirs = record[0].target
        name = str(theirs)
        if name not in seen:
            seen[name] = _judge(theirs, target, log.warnings)
        if seen[name]:
            kept.append(record)
    return kept


def _judge(theirs: Target, ours: Target, warnings: list[str]) -> bool:
    if not set(theirs.keys) & set(ours.keys):
        warnings.append(f"records of {theirs} do not apply to {ours}")
        return False
    differ = [name for name in _IDENTITY if _attribute(theirs, name) != _attribute(ours, name)]
    if not differ:
        return True
    what = ", ".join(
        f"{n} {_attribute(theirs, n) or 'unset'} there, {_attribute(ours, n) or 'unset'} here" for n in differ
    )
    if "vta" in ours.keys and "model" in differ:
        warnings.append(f"refused records of another VTA geometry: {what}")
        return False
    warnings.append(f"records were tuned for other hardware ({what}); TVM applies them all the same")
    return True


def _attribute(target: Target, name: str) -> str:
    value: Any = target.attrs.get(name, "")
    # A plain `llvm` names the host's triple, one with -mcpu doesn't: the same machine either way.
    if name == "mtriple" and "mcpu" in target.attrs:
        return str(Target("llvm").attrs["mtriple"]) if not value else str(value)
    return str(value)
