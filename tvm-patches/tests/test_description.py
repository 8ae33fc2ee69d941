import json
import random
import subprocess
import sys

import pytest
from tvm import autotvm

from arco_tvm import describe, frontend
from arco_tvm.description import config_at, create_task, entities_json, filter_indices, range_length
from arco_tvm.errors import ArcoError

#: A direct convolution for Adreno GPUs: a space with a multi-filter, small enough to enumerate.
ADRENO_WINOGRAD = {
    "name": "conv2d_nchw_winograd.image2d",
    "args": [
        ["TENSOR", [1, 16, 28, 28], "float32"],
        ["TENSOR", [16, 16, 3, 3], "float32"],
        [1, 1],
        [1, 1, 1, 1],
        [1, 1],
        "float32",
    ],
    "target": "opencl -device=adreno",
}


@pytest.fixture(scope="module")
def mlp_on_cuda() -> list[dict]:
    return frontend.tasks({"model": "mlp", "target": "cuda -arch=sm_80"})["tasks"]


def entity_by_digits(description: dict, index: int) -> list:
    """A configuration's entities from the description alone: what another language does."""
    entities = []
    for knob in description["knobs"]:
        index, digit = divmod(index, len(knob["entities"]))
        entities.append([knob["name"], knob["kind"], knob["entities"][digit]])
    return entities


@pytest.mark.parametrize("target", ["llvm -mcpu=core-avx2", "cuda -arch=sm_80", "opencl"])
def test_a_description_alone_gives_every_configuration_that_autotvm_gives(target):
    described = frontend.tasks({"model": "resnet-8", "target": target})["tasks"]
    rng = random.Random(0)
    for task in json.loads(json.dumps(described)):
        space = create_task(task).config_space
        assert task["range_length"] == len(space)
        for index in [0, task["range_length"] - 1, *(rng.randrange(task["range_length"]) for _ in range(20))]:
            theirs = json.loads(json.dumps(space.get(index).to_json_dict()))
            assert theirs["entity"] == entity_by_digits(task, index)


def test_a_description_survives_json_and_makes_the_same_task_again(mlp_on_cuda):
    again = json.loads(json.dumps(mlp_on_cuda[0]))
    task = create_task(again)
    assert task.workload == create_task(mlp_on_cuda[0]).workload
    assert str(task.target) == again["target"]
    assert task.flop == again["flop"]


def test_the_arguments_are_written_as_in_autotvms_log(mlp_on_cuda):
    task = create_task(mlp_on_cuda[0])
    inp = autotvm.measure.MeasureInput(task.target, task, task.config_space.get(0))
    result = autotvm.measure.MeasureResult((0.001,), 0, 0.1, 1.0)
    line = json.loads(autotvm.record.encode(inp, result))
    assert line["input"][:3] == json.loads(
        json.dumps([mlp_on_cuda[0][k] for k in ("target", "name", "args")])
    )


def test_an_empty_space_of_big_knobs_has_an_exact_length():
    space = autotvm.ConfigSpace()
    for number in range(8):
        space.define_knob(f"k{number}", list(range(1000)))
    assert range_length(space) == 10**24


def test_a_filter_judges_only_the_indices_that_it_is_asked_about():
    task = create_task(ADRENO_WINOGRAD)
    indices = [0, 5, range_length(task.config_space) - 1]
    judged = filter_indices(task, indices)
    assert task.config_space._shared_filter_cache is None, "the whole space was enumerated"
    assert judged == [task.config_space.is_index_valid(index) for index in indices]


def test_a_filter_agrees_with_autotvm_on_the_whole_space():
    task = create_task(ADRENO_WINOGRAD)
    length = range_length(task.config_space)
    judged = filter_indices(task, list(range(length)))
    assert judged == [task.config_space.is_index_valid(index) for index in range(length)]
    assert 0 < sum(judged) < length
    for index in (judged.index(True), judged.index(False)):
        config = config_at(task.config_space, index)
        assert (config is not None) == judged[index]
    valid = judged.index(True)
    assert entities_json(config_at(task.config_space, valid)) == [
        list(entity) for entity in task.config_space.get(valid).to_json_dict()["entity"]
    ]


def test_a_space_without_a_filter_lets_everything_pass(conv_task):
    assert filter_indices(create_task(conv_task), [0, 399]) == [True, True]


@pytest.mark.parametrize("index", [-1, 400, 1.5, "3", True])
def test_an_index_outside_of_the_space_is_refused(conv_task, index):
    with pytest.raises(ArcoError) as error:
        filter_indices(create_task(conv_task), [index])
    assert error.value.kind == "bad-request"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"name": "conv9d.x86"}, "unknown-task"),
        ({"args": []}, "bad-task"),
        ({"target": "lvm"}, "unknown-target"),
    ],
)
def test_a_task_that_cannot_be_made_is_refused(conv_task, change, kind):
    with pytest.raises(ArcoError) as error:
        create_task({**conv_task, **change})
    assert error.value.kind == kind


def test_a_task_without_its_fields_is_refused():
    with pytest.raises(ArcoError) as error:
        create_task({"name": "conv2d_NCHWc.x86"})
    assert error.value.kind == "bad-request"


def test_the_describe_command_prints_samples_that_repeat():
    command = [
        sys.executable,
        "-m",
        "arco_tvm.describe",
        "--model",
        "mlp",
        "--target",
        "llvm -mcpu=core-avx2",
    ]
    runs = [
        subprocess.run([*command, "--sample", "5", "--seed", "3"], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    for task in json.loads(runs[0].stdout)["tasks"]:
        assert [sample["index"] for sample in task["samples"][:2]] == [0, task["range_length"] - 1]
        for sample in task["samples"]:
            assert sample["config"]["entity"] == entity_by_digits(task, sample["index"])


def test_a_sample_of_a_filtered_space_says_which_indices_are_invalid():
    task = {**ADRENO_WINOGRAD, "range_length": range_length(create_task(ADRENO_WINOGRAD).config_space)}
    task["filtered"] = True
    describe.add_samples([task], 40, 0)
    for sample in task["samples"]:
        assert (sample["config"] is not None) == sample["valid"]
    assert {sample["valid"] for sample in task["samples"]} == {True, False}


def test_the_describe_command_prints_an_error_value(capsys):
    assert describe.main(["--model", "resnet", "--target", "llvm"]) == 1
    assert json.loads(capsys.readouterr().out)["kind"] == "unknown-model"
