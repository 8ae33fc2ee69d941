"""Our masks of TVM's GPU templates against `verify_gpu_code`; `make bench-gpu-masks` samples more."""

import gpu_templates
import pytest


@pytest.mark.parametrize("template", gpu_templates.TASKS)
def test_threads_and_shared_memory_are_those_of_the_lowered_kernel(template):
    for limits, found in gpu_templates.compare(template, 20, seed=1).items():
        assert found.sampled >= 20, limits
        assert not found.wronged, "masked, though TVM accepts them"
        assert not found.inexact
        assert not found.missed, "let pass, though TVM refuses them"


def test_both_sides_occur():
    found = gpu_templates.compare("conv2d_nchw.cuda", 40, seed=2)["256 threads, 32 kB"]
    assert 0 < found.accepted < found.sampled
    assert found.masked == found.sampled - found.accepted
