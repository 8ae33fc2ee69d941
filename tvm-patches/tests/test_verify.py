import json

import numpy as np
import pytest

from arco_tvm import frontend, verify
from arco_tvm.description import create_task
from arco_tvm.errors import ArcoError

CPU = "llvm -mcpu=native"


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> tuple[str, list[dict]]:
    """A log with one configuration for each task of the MLP but the last, and the tasks."""
    tasks = frontend.tasks({"model": "mlp", "target": CPU})["tasks"]
    path = tmp_path_factory.mktemp("log") / "log.json"
    with open(path, "w") as file:
        for described in tasks[:-1]:
            config = create_task(described).config_space.get(0)
            record = {
                "input": [described["target"], described["name"], described["args"], {}],
                "config": config.to_json_dict(),
                "result": [[0.001], 0, 0.1, 1.0],
            }
            file.write(json.dumps(record) + "\n")
        file.write('{"input": ["llvm')
    return str(path), tasks


def test_tuned_and_untuned_models_agree_and_are_timed(log):
    path, tasks = log
    answer = verify.verify({"model": "mlp", "target": CPU, "log": path, "repeat": 3, "min_repeat_ms": 1})
    assert answer["matches"] and answer["max_rel_error"] < 1e-5
    for which in ("untuned", "tuned"):
        assert len(answer[which]["all_ms"]) == 3
        assert 0 < answer[which]["min_ms"] <= answer[which]["median_ms"]
    assert answer["speedup"] == pytest.approx(answer["untuned"]["median_ms"] / answer["tuned"]["median_ms"])
    applied = {json.dumps([w["name"], w["args"]]) for w in answer["applied"]}
    assert applied == {json.dumps([t["name"], t["args"]]) for t in tasks[:-1]}
    assert json.loads(json.dumps(answer["missing"])) == json.loads(
        json.dumps([{"name": tasks[-1]["name"], "args": tasks[-1]["args"]}])
    )
    assert any("cut off" in warning for warning in answer["warnings"])


def test_a_model_is_verified_on_a_device_behind_rpc(log, serve):
    device = serve("device", "--port", "19900")
    where = {"host": "127.0.0.1", "port": device.port}
    request = {"model": "mlp", "target": CPU, "log": log[0], "repeat": 1, "min_repeat_ms": 1, "device": where}
    answer = verify.verify(request)
    assert answer["matches"]
    assert answer["device"] == f"127.0.0.1:{device.port}"


def test_without_a_log_nothing_is_applied_and_that_is_said():
    answer = verify.verify({"model": "mlp", "target": CPU, "repeat": 1, "min_repeat_ms": 1})
    assert answer["applied"] == []
    assert len(answer["missing"]) == 6
    assert "no record of the log applies to this model on this target" in answer["warnings"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"device": {"host": "127.0.0.1", "port": 1}}, "no-device"),
        ({"device": {"port": 1}}, "bad-request"),
        ({"target": "opencl"}, "no-device"),
        ({"log": "none.json"}, "unreadable-log"),
        ({"model": "mpl"}, "unknown-model"),
        ({"target": "lvm"}, "unknown-target"),
    ],
)
def test_what_cannot_be_verified_says_why(change, kind):
    with pytest.raises(ArcoError) as error:
        verify.verify({"model": "mlp", "target": CPU, **change})
    assert error.value.kind == kind


def test_an_output_that_is_one_number_over_and_over_proves_nothing():
    assert verify._constant(np.full(1000, 0.001, "float32"), 1e-3)
    assert not verify._constant(np.array([0.001, 0.002], "float32"), 1e-3)
    assert not verify._constant(np.array([3.0], "float32"), 1e-3), "a single number can still be wrong"


def test_errors_are_relative_to_the_largest_output():
    reference = [np.array([0.0, 100.0], "float32"), np.array([1.0], "float32")]
    other = [np.array([0.05, 100.0], "float32"), np.array([1.0], "float32")]
    answer = verify.compare(reference, other, 1e-3)
    assert answer["matches"]
    assert answer["max_abs_error"] == pytest.approx(0.05)
    assert answer["max_rel_error"] == pytest.approx(5e-4)
    assert not verify.compare(reference, [other[0] * 2, other[1]], 1e-3)["matches"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_outputs_that_are_not_finite_never_match(value):
    broken = [np.array([value], "float32")]
    assert not verify.compare(broken, broken, 1e-3)["matches"]
    assert not verify.compare([np.array([1.0], "float32")], broken, 1e-3)["matches"]
