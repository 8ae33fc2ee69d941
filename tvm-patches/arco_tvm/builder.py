"""Building one candidate: instantiate the template, lower, generate code, write a shared library.

The same as AutoTVM's `_build_func_common` and `export_library`, in one process and without what a single
candidate does not need. Failures are values (failure.py).
"""

import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tvm
from tvm import autotvm, te
from tvm.autotvm.measure.measure_methods import gpu_verify_pass
from tvm.autotvm.task.space import ConfigEntity, FallbackConfigEntity, InstantiationError
from tvm.autotvm.utils import get_const_tuple
from tvm.driver import _ffi_api as driver
from tvm.relay.backend import Runtime
from tvm.target import Target

from arco_tvm import hooks, packaging
from arco_tvm.description import create_task, entities_json
from arco_tvm.errors import ArcoError
from arco_tvm.failure import DeadlineError, describe_failure
from arco_tvm.targets import has_codegen

#: The function of a library to time: what AutoTVM's runner asks for (`Module.entry_name`).
ENTRY = "__tvm_main__"

_libraries: dict[int, bytes] = {}
_tokens = itertools.count(1)


@contextmanager
def tuning_scope() -> Iterator[None]:
    """Set AutoTVM's `in_tuning`.

    Templates then take already packed data and weights as arguments, so that a candidate's time is the
    kernel's alone. Every build of a candidate needs it; the compilation of a network must not have it.
    """
    scope = autotvm.GLOBAL_SCOPE
    before, scope.in_tuning = scope.in_tuning, True
    try:
        yield
    finally:
        scope.in_tuning = before


def build(
    task_json: dict[str, Any], config_json: dict[str, Any] | None, options: dict[str, Any]
) -> dict[str, Any]:
    """Build one configuration of a task.

    `config_json` is AutoTVM's `{"index", "code_hash", "entity"}`; None stands for the schedule that TVM falls
    back to where nothing was tuned. Options, all of them optional:

    - `"timeout"`: seconds; looked at between the stages (a stage that hangs is the caller's to kill);
    - `"checks"`: `{"gpu": {"max_threads_per_block": ..., ...}}`, the device's limits as `verify_gpu_code`
      names them;
    - `"pass_config"`: options of TVM's pass context (AutoTVM's `build_option`);
    - `"compiler"`: a cross compiler to link with;
    - `"code"`: generate code even where the device can run the lowered kernel as it is.

    Success: `{"ok", "token", "size" (bytes), "format": "so"|"tar" (packaging.py) or the target's own, "func",
    "args": [{"shape", "dtype"}], "stages": {name: s}}`, plus `"entity"` for the fallback: what it chose.
    Failure: see failure.describe_failure.
    """
    clock = _Stages(options.get("timeout"))
    try:
        task = create_task(task_json)
        config = FallbackConfigEntity() if config_json is None else ConfigEntity.from_json_dict(config_json)
        _require_codegen(task.target)
        clock.done("prepare")
        target_hooks = hooks.of(task.target)
        with tuning_scope(), target_hooks.scope(task.target), task.target:
            schedule, args = task.instantiate(config)
            if not config.valid():
                raise InstantiationError(config.errors)
            clock.done("instantiate")
            with target_hooks.candidate_context(), _pass_context(options):
                lowered = tvm.lower(schedule, args, name="default_function")
                clock.done("lower")
                ready = None if options.get("code") else target_hooks.without_code(lowered)
                if ready is None:
                    module = _generate(lowered, task.target)
                clock.done("codegen")
        if ready is None:
            library, library_format = _export(module, task.target, options.get("compiler"), clock.left())
        else:
            library_format, library = ready
        clock.done("export")
    except ArcoError as exc:
        # Not the candidate's fault: the request is wrong, or this TVM cannot do it.
        return {
            **exc.to_value(),
            "error_no": int(autotvm.measure.MeasureErrorNo.UNKNOWN_ERROR),
            "stage": "prepare",
        }
    except Exception as exc:
        return {**describe_failure(exc, clock.stage), "stages": clock.seconds}
    token = next(_tokens)
    _libraries[token] = library
    answer = {
        "ok": True,
        "token": token,
        "size": len(library),
        "format": library_format,
        "args": [{"shape": list(get_const_tuple(arg.shape)), "dtype": str(arg.dtype)} for arg in args],
        "func": ENTRY,
        "stages": clock.seconds,
    }
    if config_json is None:
        answer["entity"] = entities_json(config)
    return answer


def fetch(token: int) -> bytearray:
    """Hand out a built library once; empty if the token is unknown (handed out, or another session's)."""
    return bytearray(_libraries.pop(int(token), b""))


class _Stages:
    """Seconds per stage, and the deadline."""

    _NAMES = ("prepare", "instantiate", "lower", "codegen", "export")

    def __init__(self, timeout: float | None):
        self._start = self._last = time.perf_counter()
        self._timeout = timeout
        self.seconds: dict[str, float] = {}

    @property
    def stage(self) -> str:
        """The stage that is running."""
        return self._NAMES[min(len(self.seconds), len(self._NAMES) - 1)]

    def left(self) -> float | None:
        """Seconds until the deadline, None without one."""
        return None if self._timeout is None else self._start + self._timeout - time.perf_counter()

    def done(self, name: str) -> None:
        now = time.perf_counter()
        left = self.left()
        if left is not None and left <= 0:
            raise DeadlineError(f"{now - self._start:.1f} s passed after {name}, {self._timeout} s allowed")
        self.seconds[name] = now - self._last
        self._last = now


def _require_codegen(target: Target) -> None:
    kind = target.kind.name
    if kind != "ext_dev" and not has_codegen(kind):
        raise ArcoError(
            "unsupported-target",
            f"this TVM has no code generator for {kind}",
            f"build TVM 0.19 with {kind.upper()} and choose its Python (--python)",
        )


@contextmanager
def _pass_context(options: dict[str, Any]) -> Iterator[None]:
    current = tvm.transform.PassContext.current()
    config = {**dict(current.config), **options.get("pass_config", {})}
    limits = options.get("checks", {}).get("gpu")
    if limits:
        passes = [*config.get("tir.add_lower_pass", []), (2, gpu_verify_pass(**limits))]
        config["tir.add_lower_pass"] = passes
    with tvm.transform.PassContext(
        opt_level=current.opt_level,
        required_pass=current.required_pass,
        disabled_pass=current.disabled_pass,
        instruments=current.instruments,
        config=config,
    ):
        yield


def _generate(lowered: tvm.IRModule, target: Target) -> tvm.runtime.Module:
    """The second half of `tvm.build`, which would lower the module once more if it were given it."""
    modules, host = Target.canon_target_map_and_host(
        {target: lowered.with_attr("runtime", Runtime("cpp"))}, target.host or Target("llvm")
    )
    return driver.tir_to_runtime(modules, host)


def _export(
    module: tvm.runtime.Module, target: Target, compiler: str | None, timeout: float | None
) -> tuple[bytes, str]:
    kind = packaging.library_format(target, compiler)
    with tempfile.TemporaryDirectory(prefix="arco-build-") as folder:
        path = os.path.join(folder, f"kernel.{kind}")
        fcompile = packaging.exporter(target, compiler, timeout)
        module.export_library(path, fcompile=fcompile, workspace_dir=folder)
        with open(path, "rb") as file:
            return file.read(), kind


def warm_up() -> None:
    """Build a kernel that is of no use, so that TVM and LLVM have done what they do once."""
    if has_codegen("llvm"):
        tensor = te.placeholder((16,), name="tensor")
        result = te.compute((16,), lambda i: tensor[i] + 1.0)
        target = Target("llvm", host="llvm")
        with target:
            lowered = tvm.lower(te.create_schedule(result.op), [tensor, result], name="default_function")
            _export(_generate(lowered, target), target, None, None)
