"""Operators of `vta.top` against numpy, under configurations of their templates."""

import numpy as np
import pytest
import tvm
from golden_conv import blocks, fixed
from tvm import te, topi

import vta
from vta.testing import simulator
from vta.top.template import requantise

SHIFT = 8


def expected(wide: np.ndarray) -> np.ndarray:
    """The requantisation of `requantise`."""
    return np.clip(wide >> SHIFT, 0, 127).astype("int8")


def numbers(shape, seed, low=-128, high=128, dtype="int8"):
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def run(compute, schedule, config, arrays) -> np.ndarray:
    """The output of an operator on packed arrays; `compute` gets a placeholder for each."""
    env = vta.get_env()
    simulator.configure(env)
    with fixed(config), tvm.target.Target(env.target, host="llvm"):
        arguments = [te.placeholder(array.shape, str(array.dtype)) for array in arrays]
        out = compute(*arguments)
        module = vta.build(schedule([out]), [*arguments, out], name="operator")
    device = tvm.ext_dev(0)
    shape = topi.utils.get_const_tuple(out.shape)
    result = tvm.nd.array(np.full(shape, 99, out.dtype), device)
    simulator.clear_stats()
    module["operator"](*[tvm.nd.array(array, device) for array in arrays], result)
    return result.numpy()


def convolve(data, kernel, stride=1, pad=0):
    """NCHW by OIHW, in 32 bits."""
    data = np.pad(data.astype("int32"), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    rows, columns = kernel.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(data, (rows, columns), axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows[:, :, ::stride, ::stride], kernel.astype("int32"))


@pytest.mark.parametrize("geometry", ["1x16_i8w8a32_15_15_18_17", "2x16_i8w8a32_15_16_18_18"])
def test_a_grouped_convolution_sees_only_the_channels_of_its_group(geometry):
    with vta.Environment(geometry) as env:
        data, kernel = numbers((env.BATCH, 64, 8, 8), 1), numbers((64, 32, 3, 3), 2)
        config = {"tile_b": 1, "tile_h": 4, "tile_w": 8, "tile_ci": 1, "tile_co": 1}
        config |= {"oc_nthread": 1, "h_nthread": 2}
        out = run(
            lambda d, k: requantise(
                vta.top.group_conv2d_packed(d, k, (1, 1), (1, 1, 1, 1), (1, 1), 2, "int32")
            ),
            vta.top.schedule_group_conv2d_packed,
            config,
            [blocks(data, env.BATCH, 16), blocks(kernel, 16, 16)],
        )
        groups = [convolve(data[:, c : c + 32], kernel[c : c + 32], 1, 1) for c in (0, 32)]
        np.testing.assert_array_equal(out, blocks(expected(np.concatenate(groups, 1)), env.BATCH, 16))
        assert simulator.stats()["gemm_counter"] == 8 * 8 * 9 * 4 * 2


@pytest.mark.parametrize(
    ("geometry", "threads"),
    [("1x16x32_i8w8a32_15_15_19_18", (1, 2)), ("2x16x8_i8w8a32_15_16_17_17", (2, 1))],
)
def test_a_convolution_whose_blocks_of_input_and_output_channels_differ(geometry, threads):
    with vta.Environment(geometry) as env:
        assert env.BLOCK_IN != env.BLOCK_OUT
        data, kernel = numbers((env.BATCH, 64, 8, 8), 1), numbers((64, 64, 3, 3), 2)
        config = {"tile_b": 1, "tile_h": 4, "tile_w": 8, "tile_ci": 1, "tile_co": 1}
        config |= {"oc_nthread": threads[0], "h_nthread": threads[1]}
        layout = f"NCHW{env.BATCH}n{env.BLOCK_IN}c"
        out = run(
            lambda d, k: requantise(
                vta.top.conv2d_packed(d, k, (1, 1), (1, 1, 1, 1), (1, 1), layout, "int32")
            ),
            vta.top.schedule_conv2d_packed,
            config,
            [blocks(data, env.BATCH, env.BLOCK_IN), blocks(kernel, env.BLOCK_OUT, env.BLOCK_IN)],
        )
        result = expected(convolve(data, kernel, 1, 1))
        np.testing.assert_array_equal(out, blocks(result, env.BATCH, env.BLOCK_OUT))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("geometry", ["1x16_i8w8a32_15_15_18_17", "4x8_i8w8a32_15_15_16_17"])
def test_a_dense_layer(geometry, threads):
    with vta.Environment(geometry) as env:
        rows, inner, columns = 2 * env.BATCH, 8 * env.BLOCK_IN, 8 * env.BLOCK_OUT
        data, weight = numbers((rows, inner, 1, 1), 1), numbers((columns, inner, 1, 1), 2)
        wide = data[:, :, 0, 0].astype("int32") @ weight[:, :, 0, 0].astype("int32").T

        def packed(array, outer, inner):
            return blocks(array, outer, inner)[:, :, 0, 0]

        out = run(
            lambda d, w: requantise(vta.top.dense_packed(d, w, None, "int32")),
            vta.top.schedule_dense_packed,
            {"tile_b": 1, "tile_ci": 2, "tile_co": 4, "oc_nthread": threads},
            [packed(data, env.BATCH, env.BLOCK_IN), packed(weight, env.BLOCK_OUT, env.BLOCK_IN)],
        )
        result = expected(wide)[:, :, None, None]
        np.testing.assert_array_equal(out, packed(result, env.BATCH, env.BLOCK_OUT))


@pytest.mark.parametrize(
    ("stride", "inputs", "kernel", "more"),
    [(1, 7, 4, 0), (2, 4, 4, 0), (1, 14, 3, 0), (2, 8, 3, 1), (2, 7, 4, 0)],
)
def test_a_transposed_convolution_skips_the_zeros_between_its_inputs(stride, inputs, kernel, more):
    env = vta.get_env()
    data, weights = numbers((1, 16, inputs, inputs), 1), numbers((16, 16, kernel, kernel), 2)
    size = (inputs - 1) * stride - 2 + kernel + more
    out = run(
        lambda d, k: requantise(
            vta.top.conv2d_transpose_packed(d, k, (stride, stride), (1, 1, 1, 1), "int32", (more, more))
        ),
        vta.top.schedule_conv2d_transpose_packed,
        {
            "tile_b": 1,
            "tile_h": size,
            "tile_w": size,
            "tile_ci": 1,
            "tile_co": 1,
            "oc_nthread": 1,
            "h_nthread": 1,
        },
        [blocks(data, 1, env.BLOCK_IN), blocks(weights, env.BLOCK_OUT, env.BLOCK_IN)],
    )
    spread = np.zeros((1, 16, (inputs - 1) * stride + 1 + more, (inputs - 1) * stride + 1 + more), "int8")
    spread[:, :, : spread.shape[2] - more : stride, : spread.shape[3] - more : stride] = data
    wide = convolve(spread, weights, 1, kernel - 2)
    np.testing.assert_array_equal(out, blocks(expected(wide), 1, 16))
    given = sum((i + d - (kernel - 2)) % stride == 0 for i in range(size) for d in range(kernel))
    assert simulator.stats()["gemm_counter"] == given**2


def test_a_residual_addition_runs_on_the_vector_unit_and_loads_int8_into_accumulators():
    left, right = numbers((1, 32, 8, 8), 1), numbers((1, 32, 8, 8), 2)

    def compute(a, b):
        total = vta.top.add_packed(topi.cast(a, "int32"), topi.cast(b, "int32"))
        return topi.cast(topi.right_shift(total, 1), "int8")

    config = {"tile_co": 1, "tile_h": 4, "tile_w": 8}
    arrays = [blocks(left, 1, 16), blocks(right, 1, 16)]
    out = run(compute, vta.top.schedule_add_packed, config, arrays)
    wide = (left.astype("int32") + right) >> 1
    np.testing.assert_array_equal(out, blocks(wide.astype("int8"), 1, 16))
    assert simulator.stats()["alu_counter"] == 2 * 2 * 8 * 8


def test_elementwise_operators_stay_on_the_host_where_the_hardware_cannot_load_int8_into_accumulators():
    with vta.Environment("tsim_1x16_i8w8a32_15_15_18_17"):
        array = blocks(numbers((1, 16, 4, 4), 1), 1, 16)

        def compute(a, b):
            return topi.cast(vta.top.multiply_packed(topi.cast(a, "int32"), topi.cast(b, "int32")), "int8")

        out = run(compute, vta.top.schedule_multiply_packed, {}, [array, array])
        np.testing.assert_array_equal(out, (array.astype("int32") ** 2).astype("int8"))
        assert simulator.stats()["alu_counter"] == 0


def test_a_kernel_that_ends_in_32_bits_is_refused():
    with pytest.raises(ValueError, match="must end in a cast from int32 to int8"):
        run(
            lambda d, k: vta.top.conv2d_packed(d, k, (1, 1), (0, 0), (1, 1), "NCHW1n16c", "int32"),
            vta.top.schedule_conv2d_packed,
            {},
            [np.zeros((1, 1, 4, 4, 1, 16), "int8"), np.zeros((1, 1, 1, 1, 16, 16), "int8")],
        )


def test_data_that_was_packed_for_another_geometry_is_refused():
    with pytest.raises(ValueError, match=r"packed in blocks of 1x32, and sim_1x16.* has 1x16"):
        run(
            lambda d, k: vta.top.conv2d_packed(d, k, (1, 1), (0, 0), (1, 1), "NCHW1n32c", "int32"),
            vta.top.schedule_conv2d_packed,
            {},
            [np.zeros((1, 1, 4, 4, 1, 32), "int8"), np.zeros((1, 1, 1, 1, 32, 32), "int8")],
        )


def test_narrow_values_are_packed_lowest_bits_first():
    data = te.placeholder((2, 8), "int8")
    packed = vta.top.bitpack(data, 2)
    s = te.create_schedule(packed.op)
    function = tvm.build(s, [data, packed], "llvm")
    values = numbers((2, 8), 1, 0, 4)
    out = tvm.nd.empty((2, 2), "int8")
    function(tvm.nd.array(values), out)
    lanes = values.reshape(2, 2, 4).astype("int32") << np.array([0, 2, 4, 6])
    np.testing.assert_array_equal(out.numpy(), lanes.sum(-1).astype("uint8").view("int8"))
