"""Which records of a log apply."""

import logging

import pytest
import tvm
from tvm import autotvm, te
from tvm.autotvm.task.space import FallbackConfigEntity

import vta

CONFIG = {
    "index": 0,
    "code_hash": None,
    "entity": [
        ["tile_b", "sp", [-1, 1]],
        ["tile_h", "sp", [-1, 4]],
        ["tile_w", "sp", [-1, 8]],
        ["tile_ci", "sp", [-1, 1]],
        ["tile_co", "sp", [-1, 1]],
        ["oc_nthread", "ot", 1],
        ["h_nthread", "ot", 2],
    ],
}


def convolution(env):
    data = te.placeholder((1, 1, 8, 8, env.BATCH, env.BLOCK_IN), "int8")
    kernel = te.placeholder((1, 1, 3, 3, env.BLOCK_OUT, env.BLOCK_IN), "int8")
    return [data, kernel, (1, 1), (1, 1, 1, 1), (1, 1), f"NCHW{env.BATCH}n{env.BLOCK_IN}c", "int32"]


@pytest.fixture
def log(tmp_path):
    """A log with one record, for the default geometry."""
    env = vta.get_env()
    task = autotvm.task.create("conv2d_packed.vta", convolution(env), target=env.target)
    config = autotvm.task.space.ConfigEntity.from_json_dict(CONFIG)
    measured = autotvm.measure.MeasureInput(env.target, task, config)
    result = autotvm.measure.MeasureResult((1e-3,), 0, 0.1, 0.0)
    path = tmp_path / "tuned.log"
    path.write_text(autotvm.record.encode(measured, result) + "\n")
    return path


def query(env):
    workload = autotvm.task.args_to_workload(convolution(env), "conv2d_packed.vta")
    return autotvm.DispatchContext.current.query(env.target, workload)


def test_a_record_of_the_geometry_applies(log):
    with autotvm.apply_history_best(str(log)):
        assert query(vta.get_env())["tile_h"].size == [-1, 4]


def test_a_record_of_another_geometry_does_not_apply_and_both_are_named(log, caplog):
    smaller = vta.Environment("1x16_i8w8a32_15_14_17_16")
    with autotvm.apply_history_best(str(log)), caplog.at_level(logging.WARNING):
        assert isinstance(query(smaller), FallbackConfigEntity)
        query(smaller)
    named = [r.message for r in caplog.records if "do not apply" in r.message]
    assert len(named) == 1
    assert vta.get_env().MODEL in named[0] and smaller.MODEL in named[0]


def test_a_templates_task_is_a_kernel_by_itself_and_a_template_of_ones_own_takes_its_place(monkeypatch):
    env = vta.get_env()
    task = autotvm.task.create("conv2d_packed.vta", convolution(env), target=env.target)
    assert list(task.config_space.space_map) == [entry[0] for entry in CONFIG["entity"]]
    with env.target:
        schedule, arguments = task.instantiate(autotvm.task.space.ConfigEntity.from_json_dict(CONFIG))
    assert [str(argument.dtype) for argument in arguments] == ["int8", "int8", "int8"]
    assert "VTAStoreBuffer2D" in str(vta.lower(schedule, arguments))

    table = autotvm.task.task.TASK_TABLE
    monkeypatch.setattr(table["conv2d_packed.vta"], "fcustomized", None)

    @autotvm.template("conv2d_packed.vta")
    def own(*args, **kwargs):
        with tvm.target.vta():
            result = vta.top.conv2d_packed(*args, **kwargs)
            result = tvm.topi.cast(tvm.topi.right_shift(result, 8), "int8")
            schedule = vta.top.schedule_conv2d_packed([result])
        return schedule, [*args[:2], result]

    assert table["conv2d_packed.vta"].fcustomized is not None
    own_task = autotvm.task.create("conv2d_packed.vta", convolution(env), target=env.target)
    assert own_task.config_space.range_length == task.config_space.range_length
