"""ArcoTuner against a stand-in for the search: what crosses the border, and AutoTVM's loop around it.

The real search is tested in test_tuner_real.py.
"""

import itertools
import json

import numpy as np
import pytest
import tvm
from test_description import ADRENO_WINOGRAD
from tvm import autotvm
from tvm.autotvm.measure import MeasureInput, MeasureResult
from tvm.autotvm.measure.measure import Builder, Runner

from arco_tvm import library
from arco_tvm.description import create_task, describe, filter_indices
from arco_tvm.errors import ArcoError
from arco_tvm.tuner import ArcoTuner


class Search:
    """Counts through the space, skipping what the filter rejects, and remembers what it was told."""

    def __init__(self):
        self.created: list[tuple[dict, dict]] = []
        self.live: dict[int, itertools.count] = {}
        self.told: list[dict] = []
        self.freed: list[int] = []
        self.filters: dict[int, object] = {}
        self.length = 0
        self.batch = None

    def create(self, description, options, filter_):
        self.created.append((json.loads(description), json.loads(options)))
        self.length = self.created[-1][0]["range_length"]
        handle = len(self.created)
        self.live[handle] = itertools.count()
        self.filters[handle] = filter_
        return handle

    def next_batch(self, handle, count):
        if self.batch is not None:
            return json.dumps(self.batch)
        chosen = []
        for index in self.live[handle]:
            if index >= self.length:
                break
            if self.filters[handle] is None or json.loads(self.filters[handle](json.dumps([index])))[0]:
                chosen.append(index)
            if len(chosen) == count:
                break
        return json.dumps(chosen)

    def update(self, handle, results):
        self.told.extend(json.loads(results))

    def has_next(self, handle):
        return True

    def free(self, handle):
        self.freed.append(handle)
        del self.live[handle]


@pytest.fixture
def search():
    search = Search()
    for name in library.FUNCTIONS:
        tvm.register_func(name, getattr(search, name.rsplit(".", 1)[1]), override=True)
    yield search
    for name in library.FUNCTIONS:
        tvm._ffi.registry.remove_global_func(name)


class FakeTime(Runner):
    """A runner that takes the configuration's index for its time, and fails on every third."""

    def __init__(self):
        super().__init__(timeout=10, n_parallel=1)

    def get_build_kwargs(self):
        return {}

    def run(self, measure_inputs, build_results):
        return [
            MeasureResult((1e-3 / (1 + i.config.index),), 0, 0.1, 1.0)
            if i.config.index % 3
            else MeasureResult(("traceback", RuntimeError("no")), 4, 0.1, 1.0)
            for i in measure_inputs
        ]


class FakeBuild(Builder):
    def __init__(self):
        super().__init__(timeout=10, n_parallel=4)

    def build(self, measure_inputs):
        return [None] * len(measure_inputs)


FAKE = {"builder": FakeBuild(), "runner": FakeTime()}


def record_of(task, index: int, cost: float, error_no: int = 0):
    config = task.config_space.get(index)
    return MeasureInput(task.target, task, config), MeasureResult((cost,), error_no, 0.1, 1.0)


def test_the_search_gets_the_tasks_description_and_the_options(search, conv_task):
    task = create_task(conv_task)
    ArcoTuner(task, strategy="arco", seed=3, depth=2)
    described, options = search.created[0]
    assert described == json.loads(json.dumps(describe(task)))
    assert options == {"strategy": "arco", "seed": 3, "depth": 2}
    assert search.filters[1] is None


def test_options_that_are_not_given_are_left_to_the_search(search, conv_task):
    ArcoTuner(create_task(conv_task))
    assert search.created[0][1] == {}


def test_autotvms_loop_measures_what_the_search_chooses_and_tells_it(search, conv_task, tmp_path):
    task = create_task(conv_task)
    tuner = ArcoTuner(task)
    log = tmp_path / "log.json"
    tuner.tune(10, FAKE, callbacks=[autotvm.callback.log_to_file(str(log))])
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["config"]["index"] for line in lines] == list(range(10))
    assert [told["index"] for told in search.told] == list(range(10))
    assert [told["error_no"] for told in search.told[:4]] == [4, 0, 0, 4]
    assert [told["cost"] for told in search.told[:3]] == [None, pytest.approx(5e-4), pytest.approx(1e-3 / 3)]
    assert tuner.best_config.index == 8
    assert tuner.best_flops == pytest.approx(task.flop / (1e-3 / 9))


def test_early_stopping_stops(search, conv_task):
    class Slowing(FakeTime):
        def run(self, measure_inputs, build_results):
            return [MeasureResult((1e-3 * (1 + i.config.index),), 0, 0.1, 1.0) for i in measure_inputs]

    ArcoTuner(create_task(conv_task)).tune(
        100, {"builder": FakeBuild(), "runner": Slowing()}, early_stopping=8
    )
    assert len(search.told) == 8


def test_a_search_that_runs_dry_ends_the_tuning(search, conv_task):
    search.length = 0
    tuner = ArcoTuner(create_task(conv_task))
    search.batch = []
    tuner.tune(100, FAKE)
    assert search.told == []
    assert not tuner.has_next()


def test_a_filtered_space_is_searched_through_the_callback_without_enumerating_it(search):
    task = create_task(ADRENO_WINOGRAD)
    task.config_space._shared_filter_cache = None
    tuner = ArcoTuner(task)
    chosen = [config.index for config in tuner.next_batch(5)]
    assert filter_indices(task, chosen) == [True] * 5
    assert chosen != list(range(5))
    assert task.config_space._shared_filter_cache is None, "the whole space was enumerated"


@pytest.mark.parametrize("index", [-1, 400])
def test_an_index_outside_of_the_space_is_an_error_and_not_a_crash(search, conv_task, index):
    tuner = ArcoTuner(create_task(conv_task))
    search.batch = [index]
    with pytest.raises(ArcoError, match="of 400"):
        tuner.next_batch(1)


def test_reset_frees_the_search_and_starts_another(search, conv_task):
    tuner = ArcoTuner(create_task(conv_task), seed=1)
    assert [config.index for config in tuner.next_batch(3)] == [0, 1, 2]
    tuner.reset()
    assert search.freed == [1]
    assert [config.index for config in tuner.next_batch(2)] == [0, 1]
    assert search.created[0] == search.created[1]
    del tuner
    assert search.freed == [1, 2]


def test_history_is_told_to_the_search_and_sets_the_best(search, conv_task):
    task = create_task(conv_task)
    tuner = ArcoTuner(task)
    tuner.load_history([record_of(task, 7, 2e-3), record_of(task, 9, 1e-3), record_of(task, 11, 1e9, 4)])
    assert [(told["index"], told["cost"]) for told in search.told] == [(7, 2e-3), (9, 1e-3), (11, None)]
    assert tuner.best_config.index == 9
    assert tuner.best_flops == pytest.approx(task.flop / 1e-3)


def test_history_is_recognised_by_its_entities_whatever_its_index_says(search, conv_task):
    task = create_task(conv_task)
    inp, res = record_of(task, 7, 2e-3)
    inp.config.index = 0
    tuner = ArcoTuner(task)
    tuner.load_history([(inp, res)])
    assert [told["index"] for told in search.told] == [7]


def test_history_of_other_workloads_is_left_out(search, conv_task):
    other = create_task(
        {**conv_task, "args": [["TENSOR", [1, 32, 28, 28], "float32"], *conv_task["args"][1:]]}
    )
    other_input = record_of(create_task(conv_task), 7, 1e-3)[0]._replace(task=other)
    tuner = ArcoTuner(create_task(conv_task))
    tuner.load_history([(other_input, MeasureResult((1e-3,), 0, 0.1, 1.0))])
    assert search.told == [] and tuner.best_config is None


def test_history_read_from_a_log_gives_the_same_indices(search, conv_task, tmp_path):
    task = create_task(conv_task)
    log = tmp_path / "log.json"
    indices = np.random.default_rng(0).integers(0, 400, 20).tolist()
    with open(log, "w") as file:
        for index in indices:
            file.write(autotvm.record.encode(*record_of(task, index, 1e-3)) + "\n")
    ArcoTuner(task).load_history(autotvm.record.load_from_file(log))
    assert [told["index"] for told in search.told] == indices


def test_a_missing_library_says_where_it_was_looked_for(monkeypatch, tmp_path, conv_task):
    monkeypatch.setenv("ARCO_TVM_LIBRARY", str(tmp_path / "libarco_tvm.so"))
    with pytest.raises(ArcoError) as error:
        ArcoTuner(create_task(conv_task))
    assert error.value.kind == "no-library"
    assert str(tmp_path) in error.value.text
    assert "cargo build" in error.value.hint


def test_a_library_that_does_not_load_or_register_says_why(monkeypatch, tmp_path):
    from tvm.contrib import cc

    path = tmp_path / "libarco_tvm.so"
    monkeypatch.setenv("ARCO_TVM_LIBRARY", str(path))
    path.write_bytes(b"not a library")
    with pytest.raises(ArcoError) as error:
        library.load()
    assert error.value.kind == "library-failed"
    path.unlink()
    source = tmp_path / "a.c"
    source.write_text(
        'int arco_register(void) { return 1; }\nconst char* arco_last_error(void) { return "because"; }\n'
    )
    cc.create_shared(str(path), [str(source)], cc="gcc")
    with pytest.raises(ArcoError, match="because"):
        library.load()


def test_the_library_is_looked_for_beside_the_package_and_in_the_checkout(monkeypatch):
    monkeypatch.delenv("ARCO_TVM_LIBRARY", raising=False)
    places = [str(path) for path in library.candidates()]
    assert places[0].endswith("arco_tvm/_lib/libarco_tvm.so")
    assert places[1].endswith("target/release/libarco_tvm.so")
