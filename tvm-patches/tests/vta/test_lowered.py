"""Kernels that run without machine code: they do what the compiled ones do, to the cycle and the bit."""

import json

import numpy as np
import pytest
import tvm
from golden_conv import Convolution, numbers, records
from tvm import te

import vta
from arco_tvm import builder
from arco_tvm.description import create_task
from vta.testing import simulator

#: A 3x3 convolution, 128 to 128 channels, 28 x 28, and configurations of it: one and two virtual threads, the
#: loops over micro-operations folded and not.
TASK = {
    "name": "conv2d_packed.vta",
    "target": "ext_dev -keys=vta,cpu -device=vta -model=sim_1x16_i8w8a32_15_15_18_17",
    "host": "llvm",
    "args": [
        ["TENSOR", [1, 8, 28, 28, 1, 16], "int8"],
        ["TENSOR", [8, 8, 3, 3, 16, 16], "int8"],
        [1, 1],
        [1, 1, 1, 1],
        [1, 1],
        "NCHW1n16c",
        "int32",
    ],
}


def config_of(**knobs: int) -> dict:
    chosen = {"tile_b": 1, "tile_ci": 1, "oc_nthread": 1, "h_nthread": 1, **knobs}
    space = create_task(TASK).config_space
    index = 0
    for name, knob in reversed(space.space_map.items()):
        values = [
            int(getattr(entity, "size", [0])[-1]) or getattr(entity, "val", 0) for entity in knob.entities
        ]
        index = index * len(knob) + values.index(chosen[name])
    return space.get(index).to_json_dict()


CONFIGS = [
    {"tile_h": 14, "tile_w": 14, "tile_co": 1, "h_nthread": 2},
    {"tile_h": 7, "tile_w": 28, "tile_co": 1, "oc_nthread": 2},
    {"tile_h": 1, "tile_w": 28, "tile_co": 8},
    {"tile_h": 4, "tile_w": 1, "tile_co": 1},
]


def loaded(task: dict, config: dict | None, options: dict, folder) -> tuple[tvm.runtime.Module, dict]:
    answer = builder.build(task, config, options)
    assert answer["ok"], answer
    path = folder / f"kernel.{answer['format']}"
    path.write_bytes(builder.fetch(answer["token"]))
    return tvm.runtime.load_module(str(path)), answer


def launches(module: tvm.runtime.Module, specs: list[dict]) -> tuple[np.ndarray, list[dict]]:
    """The output, and the counters of two launches on a new device."""
    tvm.get_global_func("arco.vta.set_config")(vta.get_env().MODEL)
    device = tvm.ext_dev(0)
    arrays = [
        tvm.nd.array(numbers(int(np.prod(s["shape"])), n, 8).astype(s["dtype"]).reshape(s["shape"]), device)
        for n, s in enumerate(specs)
    ]
    found = []
    for _ in range(2):
        simulator.clear_stats()
        module[builder.ENTRY](*arrays)
        found.append(simulator.stats())
    return arrays[-1].numpy(), found


@pytest.mark.parametrize("knobs", CONFIGS, ids=str)
def test_a_candidate_without_code_takes_the_cycles_and_makes_the_output_of_the_compiled_one(knobs, tmp_path):
    config = config_of(**knobs)
    walked, answer = loaded(TASK, config, {}, tmp_path)
    compiled, coded = loaded(TASK, config, {"code": True}, tmp_path)
    assert (answer["format"], coded["format"]) == ("vta", "so")
    assert answer["args"] == coded["args"]
    output, counters = launches(walked, answer["args"])
    expected, counted = launches(compiled, coded["args"])
    assert expected.any()
    np.testing.assert_array_equal(output, expected)
    assert counters == counted
    assert counters[0]["cycle_count"] > 10_000


def test_its_simulated_time_is_that_of_the_compiled_one(tmp_path):
    config = config_of(**CONFIGS[0])
    simulator.mode("timing")
    seconds = []
    for options in ({}, {"code": True}):
        module, answer = loaded(TASK, config, options, tmp_path)
        tvm.get_global_func("arco.vta.set_config")(vta.get_env().MODEL)
        arrays = [tvm.nd.empty(s["shape"], s["dtype"], tvm.ext_dev(0)) for s in answer["args"]]
        timer = module.time_evaluator(builder.ENTRY, tvm.ext_dev(0), number=1, repeat=1)
        seconds.append(timer(*arrays).results)
    assert seconds[0] == seconds[1]


def test_every_recorded_convolution_that_ran_moves_the_same_without_code(tmp_path):
    function = tvm.get_global_func("arco.vta.lowered")
    chosen = [r for r in records("conv2d_1x16.jsonl.gz") if r["valid"]][::6]
    assert len(chosen) > 15
    for record in chosen:
        case = Convolution(record["workload"], vta.Environment(record["geometry"]))
        lowered = case.lower(record["config"])
        path = tmp_path / "kernel.vta"
        path.write_bytes(function(tvm.ir.save_json(lowered)))
        module = tvm.runtime.load_module(str(path))
        output, counters = case.run({"conv2d": module["default_function"]})
        assert {name: counters[name] for name in record["stats"]} == record["stats"]
        assert int(np.count_nonzero(output)) == record["out_nonzero"]


def test_configurations_that_make_the_same_program_have_the_same_bytes():
    first, again = (
        bytes(builder.fetch(builder.build(TASK, config_of(**CONFIGS[0]), {})["token"])) for _ in "12"
    )
    other = bytes(builder.fetch(builder.build(TASK, config_of(**CONFIGS[1]), {})["token"]))
    assert first == again != other


def test_a_kernel_that_touches_memory_on_the_host_is_compiled():
    data = te.placeholder((16,), name="data")
    schedule = te.create_schedule(te.compute((16,), lambda i: data[i] + 1.0).op)
    lowered = tvm.lower(schedule, [data], name="default_function")
    with pytest.raises(ValueError, match="has to be compiled"):
        tvm.get_global_func("arco.vta.lowered")(tvm.ir.save_json(lowered))


def test_an_error_of_the_accelerator_is_raised_by_the_kernel_that_caused_it(tmp_path):
    # Fewer than three accumulators between two writes of the same one.
    module, answer = loaded(TASK, config_of(tile_h=1, tile_w=28, tile_co=1), {}, tmp_path)
    assert answer["format"] == "vta"
    with pytest.raises(tvm.TVMError, match="micro-operation"):
        launches(module, answer["args"])
    module, answer = loaded(TASK, config_of(**CONFIGS[0]), {}, tmp_path)
    output, _ = launches(module, answer["args"])
    assert output.any(), "the device works again"


def test_a_damaged_file_is_no_kernel(tmp_path):
    path = tmp_path / "kernel.vta"
    for text in ("", "{}", json.dumps({"format": 99})):
        path.write_text(text)
        with pytest.raises(tvm.TVMError, match="no kernel can be read"):
            tvm.runtime.load_module(str(path))
