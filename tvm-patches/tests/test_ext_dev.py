"""VTA as TVM's device `ext_dev` in this process, with programs that call the runtime's C API."""

import ctypes
import json

import numpy as np
import pytest
import tvm
from vta_support import DEVICE, GEOMETRIES, K, M, N, Operands, call, config, status


def test_the_device_exists_and_tells_its_geometry_and_clock(vta):
    assert DEVICE.exist
    assert not tvm.ext_dev(1).exist
    assert DEVICE.device_name == "1x16_i8w8a32_15_15_18_17"
    assert DEVICE.max_clock_rate == 100_000
    assert vta("arco.vta.set_config", "ultra96").startswith("ultra96_1x16_i8w8a32_")
    assert DEVICE.max_clock_rate == 333_000


@pytest.mark.parametrize(
    ("shape", "dtype"), [((3, 5, 7), "int8"), ((1,), "float32"), ((4096, 3), "int32"), ((0,), "int8")]
)
def test_arrays_go_to_the_device_between_buffers_and_back(vta, shape, dtype):
    array = (np.random.default_rng(1).random(shape) * 100).astype(dtype)
    there = tvm.nd.array(array, DEVICE)
    elsewhere = tvm.nd.empty(shape, dtype, DEVICE)
    there.copyto(elsewhere)
    back = tvm.nd.empty(shape, dtype, tvm.cpu())
    elsewhere.copyto(back)
    np.testing.assert_array_equal(back.numpy(), array)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_program_that_python_builds_through_the_c_api_multiplies_matrices(native, vta, geometry):
    vta("arco.vta.set_config", geometry)
    operands = Operands(config())
    arrays = operands.on(DEVICE)
    inp, wgt, out = (ctypes.c_void_p(array.handle.contents.data) for array in arrays)
    u32 = ctypes.c_uint32
    record = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)

    @record
    def reset(_):
        native.VTAUopLoopBegin(u32(M), u32(N), u32(0), u32(0))
        for n in range(N):
            native.VTAUopPush(0, 1, n, 0, 0, 0, 0, 0)
        native.VTAUopLoopEnd()
        return 0

    @record
    def multiply(_):
        native.VTAUopLoopBegin(M, N, K, 0)
        native.VTAUopLoopBegin(K, 0, 1, 1)
        for n in range(N):
            native.VTAUopPush(0, 0, n, 0, n * K, 0, 0, 0)
        native.VTAUopLoopEnd()
        native.VTAUopLoopEnd()
        return 0

    native.VTATLSCommandHandle.restype = ctypes.c_void_p
    cmd = ctypes.c_void_p(native.VTATLSCommandHandle())
    call("vta.simulator.profiler_clear")
    native.VTALoadBuffer2D(cmd, inp, 0, M * K, 1, M * K, 0, 0, 0, 0, 0, 2)
    native.VTALoadBuffer2D(cmd, wgt, 0, N * K, 1, N * K, 0, 0, 0, 0, 0, 1)
    native.VTADepPush(cmd, 1, 2)
    native.VTADepPop(cmd, 1, 2)
    sites = [ctypes.c_void_p(), ctypes.c_void_p()]
    for site, kernel in zip(sites, (reset, multiply), strict=True):
        assert native.VTAPushGEMMOp(ctypes.byref(site), kernel, None, 0) == 0
    native.VTADepPush(cmd, 2, 3)
    native.VTADepPop(cmd, 2, 3)
    native.VTAStoreBuffer2D(cmd, 0, 4, out, 0, M * N, 1, M * N)
    native.VTASynchronize(cmd, u32(1 << 31))
    np.testing.assert_array_equal(arrays[2].numpy(), operands.expected)
    counters = status()
    assert counters["gemm_counter"] == M * N * K
    assert counters["inp_load_nbytes"] == operands.inp.nbytes
    assert counters["out_store_nbytes"] == operands.expected.nbytes
    assert counters["cycle_count"] > M * N * K


def test_one_compiled_kernel_serves_several_geometries_one_after_the_other(vta, kernel):
    gemm = tvm.runtime.load_module(str(kernel))["gemm"]
    cycles = {}
    for geometry in [*GEOMETRIES, *GEOMETRIES[:2]]:
        vta("arco.vta.set_config", geometry)
        operands = Operands(config())
        arrays = operands.on(DEVICE)
        vta("vta.simulator.profiler_clear")
        gemm(*arrays)
        np.testing.assert_array_equal(arrays[2].numpy(), operands.expected, err_msg=geometry)
        assert cycles.setdefault(geometry, status()["cycle_count"]) == status()["cycle_count"]
    # Four times the bytes for the weights, over the same bus.
    assert cycles[GEOMETRIES[0]] > 1.5 * cycles[GEOMETRIES[1]]


def test_the_time_evaluator_reports_simulated_seconds_at_the_clock(vta, kernel):
    module = tvm.runtime.load_module(str(kernel))
    for clock in (100, 333, 250):
        vta("arco.vta.set_clock", clock)
        arrays = Operands(config()).on(DEVICE)
        vta("vta.simulator.profiler_clear")
        module["gemm"](*arrays)
        seconds = status()["cycle_count"] / (clock * 1e6)
        results = module.time_evaluator("gemm", DEVICE, number=3, repeat=4)(*arrays).results
        assert len(set(results)) == 1
        # Whole nanoseconds for three runs.
        assert abs(results[0] - seconds) < 0.2e-9


def test_clearing_the_counters_does_not_disturb_a_timer(vta, kernel):
    module = tvm.runtime.load_module(str(kernel))
    arrays = Operands(config()).on(DEVICE)
    before = module.time_evaluator("gemm", DEVICE, number=1)(*arrays).mean

    @tvm.register_func("ext_dev_test.clear", override=True)
    def clear(*_):
        call("vta.simulator.profiler_clear")

    evaluator = module.time_evaluator("gemm", DEVICE, number=1, repeat=3, f_preproc="ext_dev_test.clear")
    assert set(evaluator(*arrays).results) == {before}


def test_timing_alone_gives_the_same_time_and_leaves_memory_alone(vta, kernel):
    module = tvm.runtime.load_module(str(kernel))
    operands = Operands(config())
    full = module.time_evaluator("gemm", DEVICE, number=1)(*operands.on(DEVICE)).mean
    vta("vta.simulator.profiler_clear")
    module["gemm"](*operands.on(DEVICE))
    counters = status()
    vta("arco.vta.set_mode", "timing")
    assert vta("arco.vta.mode") == "timing"
    arrays = operands.on(DEVICE)
    assert module.time_evaluator("gemm", DEVICE, number=1)(*arrays).mean == full
    assert (arrays[2].numpy() == 99).all()
    vta("vta.simulator.profiler_clear")
    module["gemm"](*arrays)
    assert status() == counters


def test_results_alone_have_no_time_and_the_timer_says_so(vta, kernel):
    module = tvm.runtime.load_module(str(kernel))
    vta("arco.vta.set_mode", "functional")
    operands = Operands(config())
    arrays = operands.on(DEVICE)
    module["gemm"](*arrays)
    np.testing.assert_array_equal(arrays[2].numpy(), operands.expected)
    assert "cycle_count" not in status()
    with pytest.raises(tvm.TVMError, match="keeps no time"):
        module.time_evaluator("gemm", DEVICE, number=1)(*arrays)


def test_debug_mode_1_counts_without_computing(vta, kernel):
    module = tvm.runtime.load_module(str(kernel))
    vta("vta.simulator.profiler_debug_mode", 1)
    vta("vta.simulator.profiler_clear")
    arrays = Operands(config()).on(DEVICE)
    module["gemm"](*arrays)
    assert (arrays[2].numpy() == 99).all()
    assert status()["gemm_counter"] == M * N * K


def test_a_geometry_is_described_without_being_set(vta):
    before = config()
    about = json.loads(vta("arco.vta.describe", "ultra96_1x32_i8w8a32_15_16_19_18"))
    assert (about["name"], about["model"]) == ("1x32_i8w8a32_15_16_19_18", "ultra96_1x32_i8w8a32_15_16_19_18")
    assert about["config"]["LOG_OUT_BUFF_SIZE"] == 16
    assert config() == before
