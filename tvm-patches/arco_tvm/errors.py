"""Errors as values: what goes wrong is told in JSON, because TVM's RPC loses an exception's text."""

import functools
import json
import logging
import math
import re
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

logger = logging.getLogger("arco_tvm")

#: How much of a message goes over the wire: TVM's own can be megabytes (the whole module as text).
MAX_TEXT = 4000
_NAMES_ERROR = re.compile(r"\s*(?:[\w.]+\.)?\w*(?:Error|Exception)\b: ?\S")
_CHECK_FAILED = re.compile(r"^\s*InternalError: Check failed: (?:\(.*?\) is false: ?)?")


class ArcoError(Exception):
    """A failure that the caller can act on.

    `kind` is a short stable slug to branch on, `text` says what was wrong, `hint` what to do next.
    """

    def __init__(self, kind: str, text: str, hint: str = ""):
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.hint = hint

    def to_value(self) -> dict[str, Any]:
        """The error as the JSON object that `arco.*` functions answer with."""
        return {"ok": False, "kind": self.kind, "text": clip(self.text), "hint": self.hint}


def unknown_name(kind: str, what: str, name: str, known: list[str]) -> ArcoError:
    """An error for a name that isn't in `known`: lists the closest ones, and all if they are few."""
    close = get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    shown = f"known: {', '.join(known)}" if len(known) <= 40 else f"{len(known)} are known"
    return ArcoError(kind, f"unknown {what} {name!r}", hint + shown)


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """The end of a long text (the end is where a traceback says what happened)."""
    return text if len(text) <= limit else "[...] " + text[-limit:]


def essence(message: str) -> str:
    """A message of TVM's from the line on that says what failed, without the C++ stack trace before it.

    TVM writes "Traceback ...", numbered frames, 'File "x.cc", line 1', and then "SomeError: what failed". It
    may be followed by a whole module as text. Without such a line: the last one.
    """
    lines = message.splitlines()
    for number, line in enumerate(lines):
        if _NAMES_ERROR.match(line):
            lines = lines[number:]
            break
    else:
        lines = [line for line in lines if line.strip(" -=")][-1:]
    return _CHECK_FAILED.sub("", "\n".join(lines)).strip()


def summary(exc: BaseException) -> str:
    """An exception in one line: its type and what it says."""
    text = essence(str(exc)).split("\n")[0][:500]
    name = type(exc).__name__
    return text if text.startswith(name) or not text else f"{name}: {text}"


def finite(value: Any) -> Any:
    """`value` with NaN and infinities replaced by None: JSON has neither."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return value


def dumps(value: Any) -> str:
    """JSON text of a value, with None for the numbers that JSON cannot say."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(finite(value), allow_nan=False)


def parse_request(text: str, what: str) -> Any:
    """Parse a JSON argument.

    Raises ArcoError("bad-request") that says where the text stops being JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, TypeError) as exc:
        raise ArcoError("bad-request", f"{what} is not JSON: {exc}", "pass one JSON value") from exc


def answering(function: Callable[..., dict[str, Any]]) -> Callable[..., str]:
    """Wrap a function that returns a dict into one that returns JSON text and never raises."""

    @functools.wraps(function)
    def wrapper(*args: Any) -> str:
        try:
            return dumps({"ok": True, **function(*args)})
        except ArcoError as exc:
            return dumps(exc.to_value())
        except Exception as exc:
            logger.exception("%s failed", function.__name__)
            text = "".join(traceback.format_exception(exc))
            value = ArcoError("internal", text, "this is a bug in arco_tvm or in TVM: see the server's log")
            return dumps(value.to_value())

    return wrapper
