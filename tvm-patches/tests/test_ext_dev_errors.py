"""How errors of the accelerator's runtime reach whoever uses the device."""

import numpy as np
import pytest
import tvm
from vta_support import DEVICE, Operands, config


def test_a_deadlock_surfaces_at_the_next_use_of_the_device_and_then_the_device_works(vta, kernel):
    module = tvm.runtime.load_module(str(kernel))
    operands = Operands(config())
    arrays = operands.on(DEVICE)
    module["deadlock"](*arrays)
    with pytest.raises(tvm.TVMError, match=r"VTAError: launch: deadlock .* waits for store->compute"):
        arrays[2].numpy()
    with pytest.raises(tvm.TVMError, match="deadlock"):
        module.time_evaluator("deadlock", DEVICE, number=1)(*arrays)
    module["gemm"](*arrays)
    np.testing.assert_array_equal(arrays[2].numpy(), operands.expected)


def test_a_deadlock_surfaces_at_once_where_compiled_code_looks(vta, kernel):
    module = tvm.runtime.load_module(str(kernel))
    arrays = Operands(config()).on(DEVICE)
    with pytest.raises(tvm.TVMError, match=r"deadlock .* waits for store->compute"):
        module["checked_deadlock"](*arrays)
    arrays[2].numpy()


def test_a_micro_operation_conflict_surfaces_from_the_call_that_pushes_it(vta, kernel):
    module = tvm.runtime.load_module(str(kernel))
    with pytest.raises(tvm.TVMError, match=r"micro-operation 1 writes dst 7 .*tile_h \* tile_co >= 3"):
        module["conflict"]()
    operands = Operands(config())
    arrays = operands.on(DEVICE)
    module["gemm"](*arrays)
    np.testing.assert_array_equal(arrays[2].numpy(), operands.expected)


@pytest.mark.parametrize(
    ("name", "argument", "message"),
    [
        ("arco.vta.set_config", "1x3_i8w8a32_15_15_18_17", "is not a geometry name"),
        ("arco.vta.set_config", '{"LOG_BLOCK": 4}', "missing field"),
        ("arco.vta.set_mode", "fast", "unknown simulation mode `fast`"),
        ("arco.vta.set_clock", -1, "a clock of -1 MHz"),
        ("vta.simulator.profiler_debug_mode", -1, "debug flags -1"),
    ],
)
def test_a_bad_setting_is_a_value_error_and_changes_nothing(vta, name, argument, message):
    before = config()
    with pytest.raises(ValueError, match=message):
        vta(name, argument)
    assert config() == before
