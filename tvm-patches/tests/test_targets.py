import pytest
from tvm.target import Target, codegen

from arco_tvm import targets
from arco_tvm.errors import ArcoError


def kind_of(call, *args) -> str:
    with pytest.raises(ArcoError) as error:
        call(*args)
    return error.value.kind


@pytest.mark.parametrize(
    "text",
    ["llvm", "llvm -mcpu=znver4", "cuda -arch=sm_80", "opencl", "opencl -device=mali", "nvidia/nvidia-a100"],
)
def test_a_target_is_named_exactly_as_tvm_names_it(text):
    assert targets.resolve(text).target == str(Target(text))


def test_native_becomes_a_cpu_that_this_llvm_knows():
    resolved = targets.resolve("llvm -mcpu=native")
    mcpu = resolved.to_json()["mcpu"]
    assert mcpu == targets.host_cpu() != "native"
    assert mcpu in [str(name) for name in codegen.llvm_get_cpu_archlist(Target("llvm"))]
    assert f"-mcpu=native is {mcpu}" in resolved.warnings


def test_native_code_uses_the_vector_registers_of_this_machine():
    features = codegen.llvm_get_cpu_features(Target(targets.resolve("llvm -mcpu=native").target))
    with open("/proc/cpuinfo") as file:
        flags = next(line for line in file if line.startswith("flags")).split()
    assert ("avx2" in features) == ("avx2" in flags)


def test_native_in_the_host_of_a_gpu_target_is_resolved_too():
    assert targets.resolve("opencl", "llvm -mcpu=native").host == f"llvm -keys=cpu -mcpu={targets.host_cpu()}"


def test_native_for_another_architecture_is_refused():
    assert kind_of(targets.resolve, "llvm -mcpu=native -mtriple=aarch64-linux-gnu") == "unknown-cpu"


def test_a_cpu_that_llvm_does_not_know_is_refused_with_close_names():
    with pytest.raises(ArcoError) as error:
        targets.resolve("llvm -mcpu=znver")
    assert error.value.kind == "unknown-cpu"
    assert "znver4" in error.value.hint


def test_no_cpu_at_all_is_warned_about():
    assert any("no -mcpu" in warning for warning in targets.resolve("llvm").warnings)


@pytest.mark.parametrize("text", ["lvm", "", "llvm -bad=1", "{", "nvidia/nvidia-none"])
def test_what_tvm_cannot_parse_is_an_unknown_target(text):
    assert kind_of(targets.resolve, text) == "unknown-target"


def test_a_target_without_a_code_generator_can_be_described_but_not_built(monkeypatch):
    monkeypatch.setattr(targets, "has_codegen", lambda kind: kind != "cuda")
    resolved = targets.resolve("cuda -arch=sm_80")
    assert not resolved.can_build
    assert "no code generator for cuda" in resolved.why_not


def test_the_limits_of_a_gpu_carry_the_names_of_the_check():
    assert targets.resolve("opencl").to_json()["limits"] == {
        "max_threads_per_block": 256,
        "max_shared_memory_per_block": 16384,
    }
    assert targets.resolve("llvm").to_json()["limits"] == {}
