"""Tuned against untuned: compile a model both ways, compare what they compute, and time them in turn."""

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import tvm
from tvm import relay, rpc
from tvm.contrib import graph_executor

from arco_tvm import hooks, models, records, targets
from arco_tvm.dispatch import Noting, noting, workload_json
from arco_tvm.errors import ArcoError, summary
from arco_tvm.link import link

#: Relative to the largest output: what two float32 schedules of a deep network may differ by.
_TOLERANCE = 1e-3


def verify(request: dict[str, Any]) -> dict[str, Any]:
    """Compile, run, compare and time.

    Request: a model (as `models.load` takes it), `"target"`, `"host"?`, `"log"` (a path or several),
    `"device"?` (`{"host", "port", "key"?}` or `{"tracker": "HOST:PORT", "key"}`; without it this process),
    `"repeat"?` (10), `"min_repeat_ms"?` (100), `"seed"?` (0), `"tolerance"?` (1e-3), `"compiler"?` (to link
    for another machine).

    Answer: `"untuned"` and `"tuned"` (`{"median_ms", "min_ms", "all_ms", "compile_s"}`), `"speedup"` (of the
    medians), `"matches"`, `"max_abs_error"`, `"max_rel_error"` (relative to the largest output of the untuned
    model), `"applied"`, `"missing"` (workloads without a record), `"layers"` (of the tuned network, where the
    target's package tells them: vta.layers), `"warnings"`.

    # Errors
    ArcoError: of models.load, targets.resolve and records.read; "unsupported-target", "no-device",
    "compile-failed", "run-failed".
    """
    resolved = targets.resolve(request.get("target") or "", request.get("host"))
    if not resolved.can_build:
        raise ArcoError("unsupported-target", resolved.why_not, "use a TVM that was built for this target")
    paths = request.get("log") or []
    log = records.read([paths] if isinstance(paths, str) else paths)
    target = resolved.object()
    target_hooks = hooks.of(target)
    with target_hooks.scope(target):
        given = models.load(request)
        model = target_hooks.prepare_model(given)
        reference = target_hooks.reference(given)
        usable = records.of_this_target(log, target)
        device = _Device(request.get("device"), target)
        untuned = _compile(model, target, [])
        tuned = _compile(model, target, usable)
    fed = _inputs(model, int(request.get("seed", 0)))
    compiler = request.get("compiler")
    try:
        runners = [device.load(variant, fed, compiler) for variant in (untuned, tuned)]
        outputs = [_outputs(runner) for runner in runners]
        if reference is not None:
            # What both must equal, in place of the untuned model's output.
            outputs[0] = _on_cpu(reference, fed, target_hooks.reference_target)
        repeat, least_ms = int(request.get("repeat", 10)), int(request.get("min_repeat_ms", 100))
        if target_hooks.one_run_is_enough:
            repeat, least_ms = 1, 0
        times = _times(runners, device, repeat, least_ms)
        layers = target_hooks.layers and target_hooks.layers(
            tuned.factory, device.library(tuned, compiler), device.device, fed
        )
    except tvm.TVMError as exc:
        raise ArcoError("run-failed", f"{model.name} does not run on {device.name}: {summary(exc)}") from exc
    warnings = [*resolved.warnings, *log.warnings]
    if log.failed:
        warnings.append(f"{log.failed} records of failed candidates skipped")
    if not tuned.context.applied:
        warnings.append("no record of the log applies to this model on this target")
    default = _TOLERANCE if reference is None else target_hooks.reference_tolerance
    tolerance = float(request.get("tolerance", default))
    if all(_constant(output, tolerance) for output in outputs[0]):
        warnings.append(
            "the outputs hardly differ from each other: that the tuned model's agree with them says little"
        )
    return {
        "model": model.name,
        "target": resolved.target,
        "device": device.name,
        "untuned": _summary(times[0], untuned),
        "tuned": _summary(times[1], tuned),
        "speedup": statistics.median(times[0]) / statistics.median(times[1]),
        **compare(outputs[0], outputs[1], tolerance),
        "applied": [workload_json(workload) for workload in tuned.context.applied],
        "missing": [workload_json(workload) for workload in tuned.context.missing],
        "records": len(usable),
        "layers": layers or [],
        "warnings": warnings,
    }


def compare(reference: list[np.ndarray], other: list[np.ndarray], tolerance: float) -> dict[str, Any]:
    """The largest difference between two lists of outputs, absolute and relative to the largest reference.

    Outputs that are not finite never match, whatever the other side has there.
    """
    absolute = relative = 0.0
    for a, b in zip(reference, other, strict=True):
        with np.errstate(invalid="ignore"):
            difference = np.abs(a.astype("float64") - b.astype("float64"))
        if not (np.isfinite(difference).all() and np.isfinite(a.astype("float64")).all()):
            return {"matches": False, "max_abs_error": None, "max_rel_error": None, "tolerance": tolerance}
        largest = float(np.abs(a.astype("float64")).max(initial=0.0))
        worst = float(difference.max(initial=0.0))
        absolute = max(absolute, worst)
        relative = max(relative, worst / largest if largest > 0 else (0.0 if worst == 0 else float("inf")))
    return {
        "matches": relative <= tolerance,
        "max_abs_error": absolute,
        "max_rel_error": relative,
        "tolerance": tolerance,
    }


def _constant(output: np.ndarray, tolerance: float) -> bool:
    """Whether numbers of an output could change places and nobody would see it."""
    spread = float(np.ptp(output.astype("float64"))) if output.size else 0.0
    return output.size > 1 and spread <= tolerance * float(np.abs(output.astype("float64")).max())


@dataclass
class _Variant:
    """A compiled model, what the compiler asked for, and how long it took."""

    factory: Any
    context: Noting
    seconds: float


def _compile(model: models.Model, target: tvm.target.Target, usable: list[records.Record]) -> _Variant:
    start = time.perf_counter()
    try:
        with noting(usable) as context, hooks.of(target).network_context():
            factory = relay.build(model.mod, target=target, params=model.params)
    except Exception as exc:
        which = "with the log" if usable else "without a log"
        raise ArcoError("compile-failed", f"{model.name} {which}: {summary(exc)}") from exc
    return _Variant(factory, context, time.perf_counter() - start)


class _Device:
    """Where the model runs: this process, or an RPC server."""

    def __init__(self, where: dict[str, Any] | None, target: tvm.target.Target):
        kind = target.kind.name
        self._session = None
        self.name = "this process"
        if where:
            self._session, self.name = _connect(where)
        self.device = self._session.device(kind, 0) if self._session else tvm.device(kind, 0)
        try:
            exists = self.device.exist
        except tvm.TVMError:
            exists = False
        if not exists:
            raise ArcoError(
                "no-device",
                f"there is no {kind} device in {self.name}",
                "TVM's runtime there may be built without it; a device elsewhere: serve it with "
                "python -m arco_tvm.serve device and give its address",
            )
        hooks.of(target).prepare_device(self._session, target)

    def load(self, variant: _Variant, fed: dict[str, np.ndarray], compiler: str | None) -> Any:
        """A graph executor on the device, with parameters and inputs set."""
        library = self.library(variant, compiler)
        runner = graph_executor.create(variant.factory.get_graph_json(), library, self.device)
        runner.set_input(**variant.factory.get_params())
        for name, value in fed.items():
            runner.set_input(name, value)
        return runner

    def library(self, variant: _Variant, compiler: str | None) -> Any:
        """A network's code on the device."""
        library = variant.factory.get_lib()
        if self._session:
            # The parameters are sent as they are: as part of the library they would go through the linker.
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, f"model{id(variant)}.so")
                library.export_library(path, fcompile=lambda o, f, **kw: link(o, f, compiler, **kw))
                self._session.upload(path)
                library = self._session.load_module(os.path.basename(path))
        return library


def _connect(where: dict[str, Any]) -> tuple[Any, str]:
    key = where.get("key") or ""
    try:
        if "tracker" in where:
            host, _, port = str(where["tracker"]).rpartition(":")
            tracker = rpc.connect_tracker(host, int(port))
            return tracker.request(key, session_timeout=600), f"{key} at tracker {where['tracker']}"
        name = f"{where['host']}:{where['port']}"
        return rpc.connect(where["host"], int(where["port"]), key), name
    except (KeyError, ValueError) as exc:
        raise ArcoError(
            "bad-request", f"device is not understood: {where}", 'give {"host", "port"} or {"tracker", "key"}'
        ) from exc
    except (tvm.TVMError, RuntimeError, OSError) as exc:
        raise ArcoError(
            "no-device", f"cannot reach the device: {summary(exc)}", "is its server running?"
        ) from exc


def _inputs(model: models.Model, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    fed = {}
    for name, kind in model.inputs().items():
        if kind["dtype"].startswith(("int", "uint")):
            fed[name] = rng.integers(0, 10, kind["shape"]).astype(kind["dtype"])
        else:
            fed[name] = rng.standard_normal(kind["shape"]).astype(kind["dtype"])
    return fed


def _outputs(runner: Any) -> list[np.ndarray]:
    runner.run()
    return [runner.get_output(i).numpy() for i in range(runner.get_num_outputs())]


def _on_cpu(model: models.Model, fed: dict[str, np.ndarray], target: str) -> list[np.ndarray]:
    # Layouts stay as they are: what the network under test computes in floating point must be added up in the
    # same order here, or a number that is rounded to an integer afterwards may come out as its neighbour.
    with noting([]), tvm.transform.PassContext(opt_level=3, disabled_pass=["AlterOpLayout"]):
        built = relay.build(model.mod, target=target, params=model.params)
    runner = graph_executor.GraphModule(built["default"](tvm.cpu()))
    runner.set_input(**fed)
    return _outputs(runner)


def _times(runners: list[Any], device: _Device, repeat: int, min_repeat_ms: int) -> list[list[float]]:
    """Seconds per run of each runner, measured in turn so that a drift of the machine meets both alike."""
    timers = [
        runner.module.time_evaluator("run", device.device, number=1, repeat=1, min_repeat_ms=min_repeat_ms)
        for runner in runners
    ]
    times: list[list[float]] = [[] for _ in runners]
    order = list(range(len(runners)))
    for _ in range(max(1, repeat)):
        for which in order:
            times[which].extend(timers[which]().results)
        order.reverse()
    return times


def _summary(seconds: list[float], variant: _Variant) -> dict[str, Any]:
    ms = [1000 * s for s in seconds]
    return {
        "median_ms": statistics.median(ms),
        "min_ms": min(ms),
        "all_ms": ms,
        "compile_s": variant.seconds,
    }
