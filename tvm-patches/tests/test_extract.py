"""The tasks are AutoTVM's, and their weights are the known numbers of layers of the networks."""

from collections import Counter

import pytest
import tvm
from test_models import write_onnx
from tvm import autotvm, relay
from tvm.target import Target

from arco_tvm import frontend, models, targets
from arco_tvm.errors import ArcoError
from arco_tvm.extract import extract

CPU = "llvm -mcpu=core-avx2"
GPU = "cuda -arch=sm_80"


@pytest.fixture(scope="module")
def weights():
    """Sum of the weights by template, for a model and a target; each pair is extracted once."""
    known: dict[tuple[str, str], list[dict]] = {}

    def tasks(model: str, target: str) -> list[dict]:
        if (model, target) not in known:
            known[model, target] = frontend.tasks({"model": model, "target": target})["tasks"]
        return known[model, target]

    return tasks


def sums(tasks: list[dict]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for task in tasks:
        total[task["name"]] += task["weight"]
    return dict(total)


def sum_of_groups(tasks: list[dict], prefix: str) -> int:
    """Occurrences of operators: one template of each group, whichever."""
    return sum({t["group"]: t["weight"] for t in tasks if t["name"].startswith(prefix)}.values())


def test_resnet_18_on_a_cpu_has_21_convolutions_and_one_dense_layer(weights):
    assert sums(weights("resnet-18", CPU)) == {
        "conv2d_NCHWc.x86": 21,
        "dense_nopack.x86": 1,
        "dense_pack.x86": 1,
    }


def test_resnet_18_on_cuda_has_the_same_operators_under_other_templates(weights):
    tasks = weights("resnet-18", GPU)
    assert sums(tasks)["conv2d_nchw.cuda"] == 21
    assert sums(tasks)["dense_small_batch.gpu"] == 1
    assert sum_of_groups(tasks, "conv2d") == 21
    assert sum_of_groups(tasks, "dense") == 1


def test_winograd_and_direct_convolution_of_one_operator_share_a_group_and_its_weight(weights):
    tasks = weights("resnet-18", GPU)
    winograd = [task for task in tasks if task["name"] == "conv2d_nchw_winograd.cuda"]
    assert sorted(task["weight"] for task in winograd) == [3, 3, 3, 4]
    for task in winograd:
        direct = [t for t in tasks if t["group"] == task["group"] and t["name"] == "conv2d_nchw.cuda"]
        assert [(t["args"], t["weight"]) for t in direct] == [(task["args"], task["weight"])]


def test_vgg_16_has_13_convolutions_and_3_dense_layers(weights):
    tasks = weights("vgg-16", CPU)
    assert sums(tasks)["conv2d_NCHWc.x86"] == 13
    assert sum_of_groups(tasks, "dense") == 3


def test_mobilenet_has_14_convolutions_and_13_depthwise_ones(weights):
    assert sums(weights("mobilenet", CPU)) == {
        "conv2d_NCHWc.x86": 14,
        "depthwise_conv2d_NCHWc.x86": 13,
        "dense_nopack.x86": 1,
        "dense_pack.x86": 1,
    }


@pytest.mark.parametrize(("target", "bound"), [(CPU, True), (GPU, False), ("opencl", False)])
def test_the_tasks_are_those_that_autotvm_extracts_with_and_without_weights(target, bound):
    model = models.load({"model": "resnet-8"})
    target = targets.resolve(target).object()
    params = model.params if bound else {}
    ours = [(t.task.workload, t.task.flop, str(t.task.target)) for t in extract(model, target).tasks]
    theirs = autotvm.task.extract_from_program(model.mod["main"], params, target)
    assert sorted(ours, key=str) == sorted(((t.workload, t.flop, str(t.target)) for t in theirs), key=str)


def test_a_model_file_is_extracted_with_its_weights(tmp_path):
    saved = models.load({"model": "mlp"})
    (tmp_path / "net.json").write_text(tvm.ir.save_json(saved.mod))
    (tmp_path / "net.params").write_bytes(relay.save_param_dict(saved.params))
    from_file = frontend.tasks({"path": str(tmp_path / "net.json"), "target": CPU})["tasks"]
    by_name = frontend.tasks({"model": "mlp", "target": CPU})["tasks"]
    assert from_file == by_name


def test_an_onnx_model_is_extracted(tmp_path):
    write_onnx(tmp_path / "m.onnx")
    tasks = frontend.tasks({"path": str(tmp_path / "m.onnx"), "target": CPU, "batch": 2})["tasks"]
    assert [(t["name"], t["weight"], t["args"][0][1]) for t in tasks] == [
        ("conv2d_NCHWc.x86", 1, (2, 3, 8, 8))
    ]


def test_a_batch_size_reaches_the_tasks():
    tasks = frontend.tasks({"model": "mlp", "target": CPU, "batch": 8})["tasks"]
    assert {task["args"][0][1][0] for task in tasks} == {8}


def test_cuda_tasks_need_no_cuda():
    answer = frontend.tasks({"model": "mlp", "target": GPU})
    assert answer["target"]["target"] == str(Target(GPU))
    assert {task["name"] for task in answer["tasks"]} == {"dense_small_batch.gpu"}


def test_a_network_without_templates_is_an_error_that_names_the_target(tmp_path):
    data = relay.var("data", shape=(1, 4))
    mod = tvm.IRModule.from_expr(relay.Function([data], relay.nn.relu(data)))
    (tmp_path / "net.relay").write_text(mod.astext())
    with pytest.raises(ArcoError) as error:
        frontend.tasks({"path": str(tmp_path / "net.relay"), "target": CPU})
    assert error.value.kind == "extraction-failed"
    assert "core-avx2" in error.value.text
