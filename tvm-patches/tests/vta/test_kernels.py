"""Hand-written schedules, from tensor expression to the accelerator's memory."""

import numpy as np
import pytest
import tvm
from tvm import te

import vta
import vta.testing
from vta.testing import simulator

GEOMETRIES = ["1x16_i8w8a32_15_15_18_17", "2x16_i8w8a32_15_16_18_18", "1x16x32_i8w8a32_15_15_19_18"]
ROWS, COLUMNS, INNER = 2, 12, 4


def matrix_product(env, epilogue=()):
    """Schedule and arguments of a product, followed by operations on its accumulators."""
    a = te.placeholder((ROWS, INNER, env.BATCH, env.BLOCK_IN), name="a", dtype=env.inp_dtype)
    b = te.placeholder((COLUMNS, INNER, env.BLOCK_OUT, env.BLOCK_IN), name="b", dtype=env.wgt_dtype)
    a_buf = te.compute(a.shape, lambda *i: a(*i), "a_buf")
    b_buf = te.compute(b.shape, lambda *i: b(*i), "b_buf")
    ko, ki = te.reduce_axis((0, INNER), "ko"), te.reduce_axis((0, env.BLOCK_IN), "ki")
    shape = (ROWS, COLUMNS, env.BATCH, env.BLOCK_OUT)
    product = te.compute(
        shape,
        lambda r, c, ri, ci: te.sum(
            a_buf[r, ko, ri, ki].astype(env.acc_dtype) * b_buf[c, ko, ci, ki].astype(env.acc_dtype), [ko, ki]
        ),
        "product",
    )
    stages = [product]
    for operation in epilogue:
        stages.append(elementwise(operation, stages[-1]))
    out = te.compute(shape, lambda *i: stages[-1](*i).astype(env.out_dtype), "out")
    s = te.create_schedule(out.op)
    s[a_buf].set_scope(env.inp_scope)
    s[b_buf].set_scope(env.wgt_scope)
    s[product].set_scope(env.acc_scope)
    for stage in stages[1:]:
        s[stage].set_scope(env.acc_scope)
        s[stage].pragma(s[stage].op.axis[0], env.alu)
    r, c, ri, ci = s[product].op.axis
    s[product].reorder(ko, r, c, ri, ci, ki)
    for buffer in (a_buf, b_buf):
        s[buffer].compute_at(s[product], ko)
        s[buffer].pragma(s[buffer].op.axis[0], env.dma_copy)
    s[out].pragma(s[out].op.axis[0], env.dma_copy)
    s[product].tensorize(ri, env.gemm)
    return s, [a, b, out]


def elementwise(operation, tensor):
    return te.compute(tensor.shape, lambda *i: operation(tensor(*i)))


def operands(args, seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(-128, 128, [int(e) for e in arg.shape]).astype(arg.dtype) for arg in args[:2]]


def products(a, b):
    return np.einsum("rkbi,cksi->rcbs", a.astype("int32"), b.astype("int32"))


def run(env, schedule, args, folder):
    """The output of a kernel that went through a library and an RPC session."""
    target = tvm.target.Target(env.target, host=env.target_host)
    module = vta.build(schedule, args, target, name="kernel")

    def on_device(env, remote):
        path = str(folder / "kernel.so")
        module.export_library(path)
        remote.upload(path)
        kernel, device = remote.load_module("kernel.so"), remote.ext_dev(0)
        arrays = [tvm.nd.array(operand, device) for operand in operands(args)]
        out = tvm.nd.array(np.full([int(e) for e in args[2].shape], 99, args[2].dtype), device)
        simulator.clear_stats()
        kernel(*arrays, out)
        return out.numpy()

    return vta.testing.run(on_device)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_matrix_product_with_vector_operations_is_exact(geometry, tmp_path):
    with vta.Environment(geometry) as env:
        three, five = tvm.tir.const(3, "int32"), tvm.tir.const(-5, "int32")
        epilogue = [lambda x: x >> three, lambda x: te.max(x, five), lambda x: x + five, lambda x: x * three]
        schedule, args = matrix_product(env, epilogue)
        out = run(env, schedule, args, tmp_path)
    expected = (np.maximum(products(*operands(args)) >> 3, -5) - 5) * 3
    np.testing.assert_array_equal(out, expected.astype("int8"))
    counters = simulator.stats()
    assert counters["gemm_counter"] == ROWS * COLUMNS * INNER
    assert counters["alu_counter"] == len(epilogue) * ROWS * COLUMNS


def test_a_shift_to_the_left_is_a_shift_to_the_right_by_less_than_nothing(tmp_path):
    env = vta.get_env()
    schedule, args = matrix_product(env, [lambda x: x << tvm.tir.const(2, "int32")])
    out = run(env, schedule, args, tmp_path)
    np.testing.assert_array_equal(out, (products(*operands(args)) << 2).astype("int8"))


def test_loops_of_micro_operations_are_folded_into_the_instruction():
    env = vta.get_env()
    schedule, args = matrix_product(env)
    text = str(vta.lower(schedule, args))
    assert text.count("VTAUopLoopBegin") == 4  # two for reset, two for the products
    assert text.count("uop_push") == 2
    assert text.count("VTALoadBuffer2D") == 2
    assert text.count("VTAStoreBuffer2D") == 1
    assert "arco_vta_check" in text


def test_a_mock_environment_moves_and_computes_nothing(tmp_path):
    env = vta.get_env().mock
    schedule, args = matrix_product(env, [lambda x: x >> tvm.tir.const(1, "int32")])
    text = str(vta.lower(schedule, args))
    for call in ("VTALoadBuffer2D", "VTAStoreBuffer2D", "uop_push"):
        assert call not in text


def test_an_expression_that_the_vector_unit_does_not_have_is_refused():
    env = vta.get_env()
    schedule, args = matrix_product(env, [lambda x: tvm.tir.floordiv(x, tvm.tir.const(3, "int32"))])
    with pytest.raises(RuntimeError, match="Expression not recognized FloorDiv"):
        vta.lower(schedule, args)


def test_an_error_of_the_accelerator_is_the_kernels_error(tmp_path):
    env = vta.get_env()
    schedule, args = matrix_product(env)
    module = vta.build(schedule, args, tvm.target.Target(env.target, host="llvm"), name="kernel")
    # A device with a smaller weight buffer than the kernel was compiled for.
    simulator.configure(vta.Environment("1x16_i8w8a32_15_15_11_17"))
    device = tvm.ext_dev(0)
    arrays = [tvm.nd.array(operand, device) for operand in operands(args)]
    out = tvm.nd.empty([int(e) for e in args[2].shape], "int8", device)
    with pytest.raises(tvm.TVMError, match=r"wgt elements 0\.\.12 leave the wgt buffer of 8"):
        module["kernel"](*arrays, out)


def test_debug_flags_and_further_passes_go_into_the_same_context():
    env = vta.get_env()
    seen = []

    @tvm.tir.transform.prim_func_pass(opt_level=0)
    def note(function, mod, context):
        seen.append(function)
        return function

    schedule, args = matrix_product(env)
    with vta.build_config(debug_flag=2, config={"tir.add_lower_pass": [(3, note)]}):
        text = str(vta.lower(schedule, args))
    assert seen
    assert "VTASetDebugMode" in text
