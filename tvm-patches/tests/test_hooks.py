import pytest
import tvm
from test_builder import GPU_CONV, MATMUL, config_of
from tvm.target import Target

from arco_tvm import builder, frontend, hooks, models, verify


@pytest.fixture
def seen():
    """Hooks for CPUs and OpenCL that note what they are called with."""
    seen: dict[str, list] = {"model": [], "candidate": [], "network": []}

    def passes(which: str):
        @tvm.tir.transform.prim_func_pass(opt_level=0)
        def note(function, mod, context):
            seen[which].append(function)
            return function

        return lambda: tvm.transform.PassContext(opt_level=3, config={"tir.add_lower_pass": [(1, note)]})

    def prepare(model):
        seen["model"].append(model.name)
        return models.load({"model": "mlp", "batch": 2})

    for key in ("cpu", "opencl"):
        hooks.register(key, hooks.Hooks(prepare, passes("candidate"), passes("network")))
    yield seen
    for key in ("cpu", "opencl"):
        hooks.unregister(key)


def test_a_targets_passes_run_on_its_candidates(seen):
    assert builder.build(MATMUL, config_of(MATMUL, 0), {})["ok"]
    assert len(seen["candidate"]) == 1


def test_the_device_check_comes_on_top_of_a_targets_passes(seen):
    limits = {"gpu": {"max_threads_per_block": 1}}
    answer = builder.build(GPU_CONV, config_of(GPU_CONV, 12345), {"checks": limits})
    assert answer["kind"] == "Skipped because of invalid gpu kernel"
    assert len(seen["candidate"]) == 1


def test_a_model_is_prepared_before_its_tasks_are_extracted(seen):
    tasks = frontend.tasks({"model": "mlp", "target": "llvm -mcpu=native"})["tasks"]
    assert seen["model"] == ["mlp"]
    assert {task["args"][0][1][0] for task in tasks} == {2}


def test_a_model_is_prepared_and_compiled_in_the_targets_context(seen):
    verify.verify({"model": "mlp", "target": "llvm -mcpu=native", "repeat": 1, "min_repeat_ms": 1})
    assert seen["model"] == ["mlp"]
    assert seen["network"]


def test_targets_without_hooks_get_the_ordinary_ones():
    assert hooks.of(Target("llvm -mcpu=core-avx2")) == hooks.Hooks()


@pytest.mark.parametrize("target", ["cuda -arch=sm_80", "opencl -device=mali"])
def test_a_gpus_network_is_held_against_the_same_network_on_the_cpu(target):
    found, model = hooks.of(Target(target)), object()
    assert found.reference(model) is model
    assert found.reference_target == "llvm"
    assert 0 < found.reference_tolerance <= 1e-4
