import numpy as np
import pytest
import tvm
from tvm import autotvm
from tvm.autotvm.measure import MeasureInput
from tvm.autotvm.measure.measure_methods import _build_func_common
from tvm.contrib import cc

from arco_tvm import builder, link
from arco_tvm.description import create_task

MATMUL = {"name": "arco_tvm.test.matmul", "args": [64, 64, 64], "target": "llvm -mcpu=native"}

GPU_CONV = {
    "name": "conv2d_nchw.cuda",
    "args": [
        ["TENSOR", [1, 16, 28, 28], "float32"],
        ["TENSOR", [16, 16, 3, 3], "float32"],
        [1, 1],
        [1, 1, 1, 1],
        [1, 1],
        "float32",
    ],
    "target": "opencl",
}


@autotvm.template("arco_tvm.test.matmul")
def matmul(n, m, k):
    """A template that refuses some of its configurations, and crashes on others."""
    a, b = tvm.te.placeholder((n, k), name="a"), tvm.te.placeholder((k, m), name="b")
    r = tvm.te.reduce_axis((0, k), name="r")
    c = tvm.te.compute((n, m), lambda i, j: tvm.te.sum(a[i, r] * b[r, j], axis=r), name="c")
    schedule = tvm.te.create_schedule(c.op)
    cfg = autotvm.get_config()
    cfg.define_knob("behaviour", ["build", "refuse", "crash"])
    y, x = schedule[c].op.axis
    cfg.define_split("tile_y", y, num_outputs=2)
    yo, yi = cfg["tile_y"].apply(schedule, c, y)
    schedule[c].reorder(yo, r, yi, x)
    if cfg["behaviour"].val == "refuse":
        cfg.raise_error("this one is refused")
    if cfg["behaviour"].val == "crash":
        raise ZeroDivisionError("this one crashes")
    return schedule, [a, b, c]


def load(answer: dict, folder) -> tvm.runtime.Module:
    path = folder / "kernel.so"
    path.write_bytes(builder.fetch(answer["token"]))
    return tvm.runtime.load_module(str(path))


def config_of(task: dict, index: int) -> dict:
    return create_task(task).config_space.get(index).to_json_dict()


def test_a_built_candidate_computes_the_matrix_product(tmp_path):
    answer = builder.build(MATMUL, config_of(MATMUL, 3), {})
    assert answer["ok"] and answer["size"] > 1000
    assert [a["shape"] for a in answer["args"]] == [[64, 64]] * 3
    a, b = (np.random.default_rng(0).standard_normal((64, 64)).astype("float32") for _ in range(2))
    args = [tvm.nd.array(value) for value in (a, b, np.zeros((64, 64), "float32"))]
    load(answer, tmp_path)[answer["func"]](*args)
    np.testing.assert_allclose(args[2].numpy(), a @ b, rtol=1e-4, atol=1e-4)


def test_a_candidate_has_the_arguments_and_the_code_that_autotvms_builder_makes(conv_task):
    task = create_task(conv_task)
    config = task.config_space.get(123)
    answer = builder.build(conv_task, config.to_json_dict(), {})
    with builder.tuning_scope():
        module, arg_info = _build_func_common(MeasureInput(task.target, task, config))
        with task.target:
            schedule, args = task.instantiate(config)
            ours = builder._generate(tvm.lower(schedule, args, name="default_function"), task.target)
    assert [(tuple(a["shape"]), a["dtype"]) for a in answer["args"]] == list(arg_info)
    assert ours.get_source("asm") == module.get_source("asm")


def test_data_and_weights_of_a_candidate_are_packed_already(conv_task):
    answer = builder.build(conv_task, config_of(conv_task, 399), {})
    # tile_ic = tile_oc = 16: the blocks are innermost.
    assert answer["args"][0]["shape"] == [1, 1, 28, 28, 16]
    assert answer["args"][1]["shape"] == [1, 1, 3, 3, 16, 16]
    assert not autotvm.GLOBAL_SCOPE.in_tuning, "left on for the compilation of networks"


def test_no_configuration_means_the_schedule_that_tvm_falls_back_to(conv_task, tmp_path):
    answer = builder.build(conv_task, None, {})
    assert answer["ok"]
    assert [name for name, _, _ in answer["entity"]] == ["tile_ic", "tile_oc", "tile_ow", "unroll_kw"]
    assert load(answer, tmp_path)[answer["func"]]


def test_the_stages_of_a_build_are_timed(conv_task):
    stages = builder.build(conv_task, config_of(conv_task, 0), {})["stages"]
    assert list(stages) == ["prepare", "instantiate", "lower", "codegen", "export"]
    assert all(seconds > 0 for seconds in stages.values())


def test_a_library_is_handed_out_once():
    token = builder.build(MATMUL, config_of(MATMUL, 0), {})["token"]
    assert len(builder.fetch(token)) > 1000
    assert builder.fetch(token) == b""
    assert builder.fetch(987654) == b""


@pytest.mark.parametrize(
    ("index", "number", "kind"),
    [(1, 1, "this one is refused"), (2, 2, "this one crashes")],
)
def test_what_a_template_refuses_or_breaks_on_is_a_value_with_autotvms_number(index, number, kind):
    answer = builder.build(MATMUL, config_of(MATMUL, 0) | {"entity": _entities(index)}, {})
    assert (answer["ok"], answer["error_no"], answer["kind"]) == (False, number, kind)
    assert answer["stage"] == "instantiate"
    assert kind in answer["text"]


def _entities(behaviour: int) -> list:
    return [
        ["behaviour", "ot", ["build", "refuse", "crash"][behaviour]],
        ["tile_y", "sp", [-1, 4]],
    ]


def test_a_build_that_takes_too_long_stops_after_the_stage(conv_task):
    answer = builder.build(conv_task, config_of(conv_task, 0), {"timeout": 1e-4})
    assert (answer["ok"], answer["error_no"], answer["kind"]) == (False, 6, "build timed out")


def test_a_kernel_that_the_device_cannot_hold_is_refused_before_code_is_generated():
    config = config_of(GPU_CONV, 12345)
    checks = {"gpu": {"max_threads_per_block": 256, "max_shared_memory_per_block": 16384}}
    assert builder.build(GPU_CONV, config, {"checks": checks})["ok"]
    answer = builder.build(GPU_CONV, config, {"checks": {"gpu": {"max_shared_memory_per_block": 16}}})
    assert (answer["error_no"], answer["stage"]) == (1, "lower")
    assert answer["kind"] == "Skipped because of invalid gpu kernel"


def test_a_target_without_a_code_generator_is_named(monkeypatch, conv_task):
    monkeypatch.setattr(builder, "has_codegen", lambda kind: False)
    answer = builder.build(conv_task, None, {})
    assert (answer["ok"], answer["kind"]) == (False, "unsupported-target")
    assert answer["hint"]


def test_an_unknown_task_is_a_value_too():
    answer = builder.build({**MATMUL, "name": "no.such.template"}, None, {})
    assert (answer["ok"], answer["kind"], answer["error_no"]) == (False, "unknown-task", 8)


def test_a_symbol_that_the_c_library_lacks_is_left_to_the_compilers_driver(tmp_path):
    source, obj = tmp_path / "a.c", tmp_path / "a.o"
    source.write_text("__int128 quotient(__int128 a, __int128 b) { return a / b; }\n")
    cc.create_shared(str(obj), [str(source)], options=["-c", "-fPIC", "-fno-lto"], cc="gcc")
    link.link(str(tmp_path / "a.so"), [str(obj)])
    assert tvm.runtime.load_module(str(tmp_path / "a.so"))
