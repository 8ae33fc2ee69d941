"""What the tests of VTA's compiler layer share: the simulator of this process, left as it was found."""

import pytest

import vta
from vta.testing import simulator


@pytest.fixture(autouse=True)
def default_device():
    """Every test begins and ends with the default geometry, on the device and in the compiler."""
    assert simulator.enabled(), "build libarco_tvm.so first"
    outer, vta.Environment.current = vta.Environment.current, None
    yield
    vta.Environment.current = outer
    simulator.mode("full")
    simulator.debug_mode(0)
    simulator.configure(vta.Environment("sim"))
