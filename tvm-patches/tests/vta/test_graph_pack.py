"""Networks: quantised, packed, compiled, and equal to the same quantised network on the CPU."""

import numpy as np
import pytest
import tvm
from tvm import relay
from tvm.contrib import graph_executor

import vta
from vta import network
from vta.testing import simulator

IMAGE = (1, 3, 16, 16)


def residual_network(filters: int = 32) -> tuple[tvm.IRModule, dict]:
    """A small network with a skip connection, and its random parameters."""
    count = 0

    def convolution(data, channels, filters, kernel, stride=1):
        nonlocal count
        count += 1
        weights = relay.var(f"w{count}", shape=(filters, channels, kernel, kernel))
        bias = relay.var(f"b{count}", shape=(filters,))
        pad = kernel // 2
        result = relay.nn.conv2d(
            data,
            weights,
            strides=(stride,) * 2,
            padding=(pad, pad),
            channels=filters,
            kernel_size=(kernel,) * 2,
        )
        return relay.nn.bias_add(result, bias)

    data = relay.var("data", shape=IMAGE)
    first = relay.nn.relu(convolution(data, 3, 16, 3))
    first = relay.nn.max_pool2d(first, (2, 2), strides=(2, 2))
    left = relay.nn.relu(convolution(first, 16, filters, 3))
    left = convolution(left, filters, filters, 3)
    joined = relay.nn.relu(left + convolution(first, 16, filters, 1))
    last = relay.nn.relu(convolution(joined, filters, 32, 3, stride=2))
    flat = relay.nn.batch_flatten(relay.nn.global_avg_pool2d(last))
    scores = relay.nn.dense(flat, relay.var("weights", shape=(10, 32)))
    module = relay.transform.InferType()(
        tvm.IRModule.from_expr(relay.Function(relay.analysis.free_vars(scores), scores))
    )
    random = np.random.default_rng(0)
    params = {
        var.name_hint: tvm.nd.array(
            (random.standard_normal([int(e) for e in var.checked_type.shape]) * 0.2).astype("float32")
        )
        for var in module["main"].params
        if var.name_hint != "data"
    }
    return module, params


@pytest.fixture(scope="module")
def quantised() -> tvm.IRModule:
    return network.quantise(*residual_network())


def outputs(module: tvm.IRModule, target, context, device) -> np.ndarray:
    with context:
        built = relay.build(module, target=target)
    runner = graph_executor.GraphModule(built["default"](device))
    runner.set_input("data", np.random.default_rng(1).standard_normal(IMAGE).astype("float32"))
    simulator.clear_stats()
    runner.run()
    return runner.get_output(0).numpy()


@pytest.fixture(scope="module")
def expected(quantised) -> np.ndarray:
    result = outputs(quantised, "llvm", tvm.transform.PassContext(opt_level=3), tvm.cpu())
    assert np.ptp(result) > 0.1
    return result


@pytest.mark.parametrize("model", ["sim_1x16_i8w8a32_15_15_18_17", "tsim_1x32_i8w8a32_15_16_19_18"])
def test_a_residual_network_is_exact_and_its_convolutions_run_on_the_accelerator(model, quantised, expected):
    with vta.Environment(model) as env:
        simulator.configure(env)
        packed = network.pack(quantised)
        target = tvm.target.Target(env.target, host=env.target_host)
        result = outputs(packed, target, network.context(), tvm.ext_dev(0))
    np.testing.assert_array_equal(result, expected)
    macs = 8 * 8 * (9 * 16 * 32 + 9 * 32 * 32 + 16 * 32) + 4 * 4 * 9 * 32 * 32
    block = env.BLOCK_IN
    # With blocks of 32 the 16 channels of two of the layers are filled up with zeros.
    padded = 8 * 8 * (9 + 1) * 16 * 32 if block == 32 else 0
    assert simulator.stats()["gemm_counter"] == (macs + padded) // (block * block)


def test_packing_between_two_operators_as_the_tutorials_do_it(quantised, expected):
    env = vta.get_env()
    packed = vta.top.graph_pack(
        quantised["main"],
        env.BATCH,
        env.BLOCK_OUT,
        env.WGT_WIDTH,
        start_name="nn.max_pool2d",
        stop_name="nn.global_avg_pool2d",
    )
    target = tvm.target.Target(env.target, host=env.target_host)
    result = outputs(tvm.IRModule.from_expr(packed), target, network.context(), tvm.ext_dev(0))
    np.testing.assert_array_equal(result, expected)


def test_a_network_that_cannot_be_packed_is_refused_with_the_reason(quantised):
    env = vta.get_env()
    arguments = (env.BATCH, env.BLOCK_OUT, env.WGT_WIDTH)
    module, _ = residual_network()
    with pytest.raises(ValueError, match="quantise the network first"):
        vta.top.graph_pack(module["main"], *arguments)
    with pytest.raises(ValueError, match=r"no operator nn\.lstm to begin"):
        vta.top.graph_pack(quantised["main"], *arguments, start_name="nn.lstm")
    with pytest.raises(ValueError, match=r"no operator nn\.max_pool2d after"):
        vta.top.graph_pack(
            quantised["main"], *arguments, start_name="nn.global_avg_pool2d", stop_name="nn.max_pool2d"
        )
    with pytest.raises(ValueError, match="needs the index of each"):
        vta.top.graph_pack(quantised["main"], *arguments, start_name="nn.relu", stop_name="nn.relu")
    with vta.Environment("2x16_i8w8a32_15_16_18_18"), pytest.raises(ValueError, match="batch of 1"):
        network.pack(quantised)
    with (
        vta.Environment("1x16x32_i8w8a32_15_15_19_18"),
        pytest.raises(ValueError, match="blocks of 16 in and 32"),
    ):
        network.pack(quantised)


def test_quantising_twice_changes_nothing(quantised):
    assert network.quantise(quantised) is quantised
