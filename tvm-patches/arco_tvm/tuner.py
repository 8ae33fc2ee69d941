"""ArcoTuner: arco-tvm's search as one of AutoTVM's tuners, so that an AutoTVM script changes one line.

from arco_tvm.tuner import ArcoTuner
tuner = ArcoTuner(task)          # was: autotvm.tuner.XGBTuner(task)
tuner.tune(n_trial=..., measure_option=..., callbacks=[...])
"""

import contextlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tvm
from tvm import autotvm
from tvm.autotvm.measure import MeasureInput, MeasureResult
from tvm.autotvm.measure.measure import Builder
from tvm.autotvm.task.space import ConfigEntity

from arco_tvm import library
from arco_tvm.description import config_at, describe, entities_json, filter_indices, range_length
from arco_tvm.errors import ArcoError, dumps

logger = logging.getLogger("arco_tvm")


class ArcoTuner(autotvm.tuner.Tuner):
    """Search with arco-tvm.

    `strategy` names one of the library's strategies (None: its default), `seed` makes the search repeat
    (None: the library's default); further keywords are passed to the strategy as options. On a GPU, what the
    device that measures does not allow (threads, shared memory) is not tried.

    # Errors
    ArcoError "no-library" or "library-failed" if the search cannot be loaded.
    """

    def __init__(
        self, task: autotvm.task.Task, strategy: str | None = None, seed: int | None = None, **options
    ):
        super().__init__(task, strategy=strategy, seed=seed, **options)
        self._handle: int | None = None
        self._builder: Builder | None = None
        self._limits: dict[str, int] | None = None
        self._told: list[dict[str, Any]] = []
        library.load()
        self._functions = {name: tvm.get_global_func(f"arco.tuner.{name}") for name in _FUNCTIONS}
        self._options = {k: v for k, v in self.param.items() if v is not None}
        self._length = range_length(self.space)
        # TVM holds on to the callback for as long as the search lives, and so must we.
        self._filter = _filter_callback(task) if self.space._shared_filter is not None else None
        self._create()

    def tune(self, n_trial: int, measure_option: dict, *args, **kwargs) -> None:
        """AutoTVM's loop, with what it takes."""
        self._builder = measure_option["builder"]
        super().tune(n_trial, measure_option, *args, **kwargs)

    def has_next(self) -> bool:
        """Whether the search has a configuration that it has not tried."""
        self._heed_limits()
        return not self._exhausted and bool(self._functions["has_next"](self._handle))

    def next_batch(self, batch_size: int) -> list[ConfigEntity]:
        """The next configurations to measure: at most `batch_size`, fewer when the space runs out."""
        self._heed_limits()
        indices = json.loads(self._functions["next_batch"](self._handle, int(batch_size)))
        # AutoTVM's loop asks again for ever if a tuner that "has next" then has nothing.
        self._exhausted = not indices
        return [self._config(index) for index in indices]

    def update(self, inputs: Sequence[MeasureInput], results: Sequence[MeasureResult]) -> None:
        """Tell the search what was measured."""
        measured = [_result_json(i.config.index, r) for i, r in zip(inputs, results, strict=True)]
        self._tell(measured)

    def load_history(
        self, data_set: Iterable[tuple[MeasureInput, MeasureResult]], min_seed_records: int = 0
    ) -> None:
        """Tell the search what was measured before, and take the best of it as the best so far.

        Records of the same workload count, whatever their number (`min_seed_records` is AutoTVM's, whose own
        tuners ignore fewer than 500 silently). A record is found by its entities, not by its index.
        """
        ours = [
            (inp, res, index)
            for inp, res in data_set
            if inp.task.workload == self.task.workload and (index := self._index_of(inp.config)) is not None
        ]
        if len(ours) < min_seed_records:
            logger.warning(
                "%d records for %s, %d wanted: not used", len(ours), self.task.name, min_seed_records
            )
            return
        self._tell([_result_json(index, res) for _, res, index in ours])
        for inp, res, index in ours:
            if res.error_no == 0:
                flops = self.task.flop / np.mean(res.costs)
                if flops > self.best_flops:
                    self.best_flops = flops
                    self.best_config = self._config(index)
                    self.best_measure_pair = (inp, res)

    def reset(self) -> None:
        """Forget everything and start the search anew, with the same seed."""
        super().reset()
        self.best_iter = 0
        self._told = []
        self._free()
        self._create()

    def __del__(self):
        # At the interpreter's end TVM's functions may be gone already, and so is the need to free.
        with contextlib.suppress(Exception):
            self._free()

    def _heed_limits(self) -> None:
        """Begins anew with what was told where the device allows other things than is known of it.

        AutoTVM's runner asks the device before the first configuration is asked for, and its builder knows.
        """
        checks = getattr(self._builder, "build_kwargs", {}).get("checks", {})
        if checks.get("gpu") is None:
            return
        limits = {name: int(limit) for name, limit in checks["gpu"].items()}
        if limits != self._limits:
            self._limits = limits
            self._free()
            self._create()
            told, self._told = self._told, []
            self._tell(told)

    def _tell(self, measured: list[dict[str, Any]]) -> None:
        if measured:
            self._functions["update"](self._handle, dumps(measured))
            self._told += measured

    def _create(self) -> None:
        self._exhausted = False
        options = self._options if self._limits is None else {**self._options, "gpu_limits": self._limits}
        self._handle = int(
            self._functions["create"](dumps(describe(self.task)), dumps(options), self._filter)
        )

    def _free(self) -> None:
        handle, self._handle = getattr(self, "_handle", None), None
        if handle is not None:
            self._functions["free"](handle)

    def _config(self, index: int) -> ConfigEntity:
        if not 0 <= index < self._length:
            raise ArcoError("bad-index", f"the search chose index {index} of {self._length}")
        config = config_at(self.space, index)
        if config is None:
            raise ArcoError("bad-index", f"the search chose index {index}, which the space's filter rejects")
        return config

    def _index_of(self, config: ConfigEntity) -> int | None:
        """The index in our space of a record's entities, or None if the space has not got them."""
        theirs = {name: (kind, value) for name, kind, value in entities_json(config)}
        if set(theirs) != set(self.space.space_map):
            return None
        index, stride = 0, 1
        for name, digit in self._digits().items():
            found = digit.get(json.dumps(theirs[name]))
            if found is None:
                return None
            index += stride * found
            stride *= len(self.space.space_map[name])
        return index

    def _digits(self) -> dict[str, dict[str, int]]:
        """For each knob, the place of each entity in it."""
        if not hasattr(self, "_digit_of"):
            knobs = describe(self.task)["knobs"]
            self._digit_of = {
                knob["name"]: {
                    json.dumps((knob["kind"], value)): place for place, value in enumerate(knob["entities"])
                }
                for knob in knobs
            }
        return self._digit_of


_FUNCTIONS = ("create", "next_batch", "update", "has_next", "free")


def _result_json(index: int, result: MeasureResult) -> dict[str, Any]:
    """A measurement as the search takes it: the mean cost in seconds, or null with AutoTVM's error number."""
    good = result.error_no == 0
    return {
        "index": int(index),
        "cost": float(np.mean(result.costs)) if good else None,
        "error_no": int(result.error_no),
    }


def _filter_callback(task: autotvm.task.Task) -> Callable:
    """The space's filter as a PackedFunc: JSON list of indices in, JSON list of booleans out."""

    def allowed(indices: str) -> str:
        return json.dumps(filter_indices(task, json.loads(indices)))

    return tvm.runtime.convert(allowed)
