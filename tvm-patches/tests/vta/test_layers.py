"""What each operator of a network takes: on the accelerator in cycles, on the host in seconds."""

import json

import pytest
import tvm

import vta
from arco_tvm import verify


@pytest.fixture(scope="module")
def answer(tmp_path_factory) -> dict:
    """A network verified with an empty log."""
    log = tmp_path_factory.mktemp("log") / "empty.log"
    log.write_text("")
    return verify.verify({"model": "resnet-8", "target": "vta", "log": str(log)})


def test_the_accelerators_operators_have_cycles_and_what_bounds_them(answer):
    own = [row for row in answer["layers"] if "cycles" in row]
    convolutions = [row for row in own if "conv2d" in row["name"]]
    assert sum(row["uses"] for row in convolutions) >= 6
    for row in own:
        assert row["cycles"] > 0 and 0 <= row["utilisation"] <= 1
        assert row["bound_by"] in {"MAC array", "vector unit", "memory", "dependencies"}
    assert all(row["utilisation"] > 0 for row in convolutions)
    # TVM's fallback schedules load one element at a time.
    bounds = {row["bound_by"] for row in convolutions}
    assert "memory" in bounds and "MAC array" not in bounds


def test_their_time_is_the_networks(answer):
    seconds = sum(row.get("seconds", 0.0) for row in answer["layers"])
    assert 1e3 * seconds == pytest.approx(answer["tuned"]["median_ms"], rel=1e-3)


def test_what_runs_on_the_host_is_said_apart(answer):
    host = [row for row in answer["layers"] if "host_seconds" in row]
    assert any("conv2d" in row["name"] for row in host), "the first convolution has three channels"
    assert any("dense" in row["name"] for row in host)
    assert all(row["host_seconds"] > 0 and "cycles" not in row for row in host)


def test_the_device_tells_what_bounds_its_time():
    tvm.get_global_func("arco.vta.set_config")(vta.get_env().MODEL)
    tvm.get_global_func("vta.simulator.profiler_clear")()
    about = json.loads(tvm.get_global_func("arco.vta.time")())
    assert about == {"cycles": 0, "seconds": 0.0, "utilisation": 0.0, "bound_by": None}
