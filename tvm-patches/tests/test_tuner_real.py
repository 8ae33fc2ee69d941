"""ArcoTuner with the real search: needs libarco_tvm.so (`cargo build --release --lib`), and fails without."""

import json

import pytest
import tvm
from server_process import wait_until
from tvm import autotvm
from tvm.autotvm.measure.measure import Runner
from tvm.rpc.tracker import Tracker

from arco_tvm import library
from arco_tvm.description import create_task, filter_indices
from arco_tvm.tuner import ArcoTuner


@pytest.fixture(scope="module", autouse=True)
def real_search():
    library.load()


def measure_here(number: int = 2) -> dict:
    return autotvm.measure_option(
        builder=autotvm.LocalBuilder(timeout=20),
        runner=autotvm.LocalRunner(number=number, repeat=1, timeout=20, cooldown_interval=0),
    )


def read(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_search_of_a_real_task_finds_configurations_and_logs_them(conv_task, tmp_path):
    task = create_task(conv_task)
    log = tmp_path / "log.json"
    seen = []
    tuner = ArcoTuner(task, seed=0)
    tuner.tune(
        16,
        measure_here(),
        callbacks=[
            autotvm.callback.log_to_file(str(log)),
            autotvm.callback.progress_bar(16),
            lambda tuner, inputs, results: seen.extend(i.config.index for i in inputs),
        ],
    )
    records = read(log)
    assert [record["config"]["index"] for record in records] == seen
    assert len(set(seen)) == 16, "a configuration was measured twice"
    assert sum(record["result"][1] == 0 for record in records) >= 12
    best = min(record["result"][0][0] for record in records if record["result"][1] == 0)
    assert tuner.best_flops == pytest.approx(task.flop / best)
    with autotvm.apply_history_best(str(log)) as context:
        assert context._query_inside(task.target, task.workload).to_json_dict()["entity"]


class SmallDevice(Runner):
    """Says what a GPU allows; whatever was built takes a millisecond on it."""

    def __init__(self):
        super().__init__(n_parallel=4)

    def set_task(self, task):
        self.task = task

    def get_build_kwargs(self):
        threads = {f"max_thread_{axis}": 256 for axis in "xyz"}
        block = {"max_shared_memory_per_block": 32768, "max_threads_per_block": 256}
        return {"checks": {"gpu": threads | block}}

    def run(self, measure_inputs, build_results):
        good = autotvm.MeasureResult((1e-3,), autotvm.measure.MeasureErrorNo.NO_ERROR, 0.1, 0.0)
        return [built if isinstance(built, autotvm.MeasureResult) else good for built in build_results]


def test_nothing_is_tried_that_the_device_does_not_allow():
    dense = (("TENSOR", (64, 256), "float32"), ("TENSOR", (128, 256), "float32"), None, "float32")
    task = autotvm.task.create("dense_large_batch.gpu", dense, tvm.target.Target("opencl", host="llvm"))
    errors = []
    option = autotvm.measure_option(builder=autotvm.LocalBuilder(), runner=SmallDevice())
    # At random, 96 of 100 need more than that.
    ArcoTuner(task, strategy="random", seed=1).tune(
        12, option, callbacks=[lambda tuner, inputs, results: errors.extend(r.error_no for r in results)]
    )
    assert len(errors) == 12
    assert errors.count(autotvm.measure.MeasureErrorNo.NO_ERROR) >= 10, errors


def test_the_same_seed_chooses_the_same_configurations(conv_task):
    task = create_task(conv_task)
    batches = []
    for _ in range(2):
        tuner = ArcoTuner(task, seed=5)
        batches.append([config.index for config in tuner.next_batch(8)])
    assert batches[0] == batches[1]
    assert [config.index for config in ArcoTuner(task, seed=6).next_batch(8)] != batches[0]


def test_reset_repeats_the_search(conv_task):
    tuner = ArcoTuner(create_task(conv_task), seed=5)
    first = [config.index for config in tuner.next_batch(8)]
    tuner.reset()
    assert [config.index for config in tuner.next_batch(8)] == first


def test_early_stopping_ends_the_search(conv_task):
    seen = []
    ArcoTuner(create_task(conv_task), seed=0).tune(
        200,
        measure_here(number=1),
        early_stopping=4,
        callbacks=[lambda tuner, inputs, results: seen.extend(inputs)],
    )
    assert 4 <= len(seen) < 200


def test_a_search_that_has_seen_the_whole_space_stops(conv_task):
    small = {
        **conv_task,
        "args": [
            ["TENSOR", [1, 1, 4, 4], "float32"],
            ["TENSOR", [2, 1, 3, 3], "float32"],
            *conv_task["args"][2:],
        ],
    }
    task = create_task(small)
    length = len(task.config_space)
    seen = []
    ArcoTuner(task).tune(
        10 * length,
        measure_here(number=1),
        callbacks=[lambda tuner, inputs, results: seen.extend(i.config.index for i in inputs)],
    )
    assert sorted(seen) == list(range(length))


def test_history_is_not_measured_again(conv_task):
    task = create_task(conv_task)
    known = list(range(0, 400, 2))
    tuner = ArcoTuner(task, seed=0)
    result = autotvm.measure.MeasureResult((1e-3,), 0, 0.1, 1.0)
    tuner.load_history(
        (autotvm.measure.MeasureInput(task.target, task, task.config_space.get(index)), result)
        for index in known
    )
    chosen = [config.index for config in tuner.next_batch(50)]
    assert chosen and not set(chosen) & set(known)


def test_a_filtered_space_is_searched_without_enumerating_it():
    from test_description import ADRENO_WINOGRAD

    task = create_task(ADRENO_WINOGRAD)
    task.config_space._shared_filter_cache = None
    chosen = [config.index for config in ArcoTuner(task, seed=0).next_batch(8)]
    assert len(chosen) == 8 and all(filter_indices(task, chosen))
    assert task.config_space._shared_filter_cache is None


def test_a_device_at_a_tracker_measures_for_the_search(conv_task, serve, tmp_path):
    tracker = Tracker(host="127.0.0.1", port=19950, port_end=19970, silent=True)
    try:
        serve("device", "--port", "19970", "--tracker", f"127.0.0.1:{tracker.port}", "--key", "cpu")
        assert wait_until(lambda: _devices(tracker.port) == 1)
        runner = autotvm.RPCRunner(
            "cpu",
            "127.0.0.1",
            tracker.port,
            number=1,
            repeat=1,
            timeout=20,
            n_parallel=1,
            cooldown_interval=0,
        )
        log = tmp_path / "log.json"
        ArcoTuner(create_task(conv_task), seed=0).tune(
            6,
            autotvm.measure_option(builder=autotvm.LocalBuilder(timeout=20), runner=runner),
            callbacks=[autotvm.callback.log_to_file(str(log))],
        )
        assert sum(record["result"][1] == 0 for record in read(log)) >= 4
    finally:
        tracker.terminate()


def _devices(port: int) -> int:
    from tvm import rpc

    return rpc.connect_tracker("127.0.0.1", port).summary()["queue_info"].get("cpu", {}).get("free", 0)
