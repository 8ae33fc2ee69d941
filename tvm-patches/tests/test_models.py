import numpy as np
import onnx
import pytest
import tvm
from onnx import TensorProto, helper, numpy_helper
from tvm import relay

from arco_tvm import models
from arco_tvm.errors import ArcoError
from arco_tvm.models import zoo


def refused(request: dict) -> ArcoError:
    with pytest.raises(ArcoError) as error:
        models.load(request)
    return error.value


def write_onnx(path, batch=1, operator="Conv") -> np.ndarray:
    """A model of one 3x3 convolution, 3 to 4 channels on 8x8; returns the weights."""
    weights = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype("float32")
    node = helper.make_node(operator, ["image", "weights"], ["features"], pads=[1, 1, 1, 1])
    graph = helper.make_graph(
        [node],
        "one-convolution",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, 8, 8])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [batch, 4, 8, 8])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return weights


@pytest.mark.parametrize("name", zoo.ZOO)
def test_every_network_of_the_zoo_type_checks_with_one_input_named_data(name):
    model = models.load({"model": name})
    assert list(model.inputs()) == ["data"]
    assert model.inputs()["data"]["shape"][0] == 1


def test_a_batch_size_reaches_the_input():
    assert models.load({"model": "resnet-18", "batch": 4}).inputs()["data"]["shape"] == [4, 3, 224, 224]


def test_alexnet_has_the_shapes_of_torchvision():
    shapes = {
        var.name_hint: tuple(int(dim) for dim in var.checked_type.shape)
        for var in models.load({"model": "alexnet"}).mod["main"].params
    }
    assert shapes["conv1_weight"] == (64, 3, 11, 11)
    assert shapes["conv2_weight"] == (192, 64, 5, 5)
    assert shapes["conv5_weight"] == (256, 256, 3, 3)
    assert shapes["fc6_weight"] == (4096, 9216)
    # The published number of parameters of torchvision's AlexNet.
    assert sum(np.prod(s) for n, s in shapes.items() if n != "data") == 61_100_840


def test_weights_repeat_and_have_the_shapes_of_relay_testing_but_he_et_al_s_spread():
    from tvm.relay import testing

    ours, again = (models.load({"model": "resnet-8"}).params for _ in range(2))
    _, theirs = testing.resnet.get_workload(num_layers=8, image_shape=(3, 28, 28), num_classes=10)
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        np.testing.assert_array_equal(value.numpy(), again[name].numpy())
        assert value.shape == theirs[name].shape
    # sqrt(2 / fan-in) of a 3x3 convolution over 64 channels; 36,864 draws come within a few percent of it.
    kernel = next(v for v in ours.values() if tuple(v.shape) == (64, 64, 3, 3)).numpy()
    assert abs(kernel.std() / np.sqrt(2 / (64 * 9)) - 1) < 0.05


def test_making_weights_leaves_the_callers_random_numbers_alone():
    np.random.seed(7)
    expected = np.random.rand()
    np.random.seed(7)
    assert models.load({"model": "mlp"}).params
    assert np.random.rand() == expected


def test_an_unknown_name_is_refused_with_the_known_ones():
    error = refused({"model": "resnet18"})
    assert error.kind == "unknown-model"
    assert "did you mean resnet-18" in error.hint
    assert all(name in error.hint for name in zoo.ZOO)


@pytest.mark.parametrize("request_", [{}, {"model": "mlp", "path": "x.onnx"}, {"model": "mlp", "batch": 0}])
def test_a_request_that_names_no_model_or_two_or_no_batch_is_refused(request_):
    assert refused(request_).kind == "bad-request"


def test_an_onnx_model_is_imported_with_its_weights(tmp_path):
    weights = write_onnx(tmp_path / "m.onnx")
    model = models.load({"path": str(tmp_path / "m.onnx")})
    assert model.inputs() == {"image": {"shape": [1, 3, 8, 8], "dtype": "float32"}}
    constants = []
    relay.analysis.post_order_visit(
        model.mod["main"], lambda e: constants.append(e) if isinstance(e, relay.Constant) else None
    )
    # TVM's importer freezes them into the module.
    assert [np.array_equal(constant.data.numpy(), weights) for constant in constants] == [True]


def test_the_open_batch_of_an_onnx_model_is_given_or_one(tmp_path):
    path = str(tmp_path / "m.onnx")
    write_onnx(path, batch="N")
    assert models.load({"path": path}).inputs()["image"]["shape"] == [1, 3, 8, 8]
    assert models.load({"path": path, "batch": 5}).inputs()["image"]["shape"] == [5, 3, 8, 8]
    shapes = {"image": [2, 3, 16, 16]}
    assert models.load({"path": path, "shapes": shapes}).inputs()["image"]["shape"] == [2, 3, 16, 16]


def test_a_shape_for_an_input_that_is_not_there_is_refused_with_the_inputs(tmp_path):
    path = str(tmp_path / "m.onnx")
    write_onnx(path)
    error = refused({"path": path, "shapes": {"data": [1, 3, 8, 8]}})
    assert error.kind == "bad-request"
    assert "image" in error.hint


def test_an_onnx_operator_that_tvm_does_not_know_is_named(tmp_path):
    path = tmp_path / "m.onnx"
    write_onnx(path, operator="Deconvolute")
    error = refused({"path": str(path)})
    assert error.kind == "unreadable-model"
    assert "Deconvolute" in error.text


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07\x12"])
def test_a_file_that_is_no_onnx_model_is_refused(tmp_path, content):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    error = refused({"path": str(path)})
    assert error.kind == "unreadable-model"
    assert "not an ONNX model" in error.text


def test_a_missing_file_and_an_unknown_suffix_are_refused(tmp_path):
    assert refused({"path": str(tmp_path / "none.onnx")}).kind == "unreadable-model"
    path = tmp_path / "model.xyz"
    path.write_text("?")
    error = refused({"path": str(path)})
    assert error.kind == "unreadable-model"
    assert "onnx" in error.hint


def test_a_format_whose_package_is_missing_says_which(tmp_path):
    path = tmp_path / "model.pth"
    path.write_bytes(b"?")
    error = refused({"path": str(path), "shapes": {"x": [1, 3, 8, 8]}})
    assert error.kind == "unreadable-model"
    assert "torch" in error.text


@pytest.mark.parametrize("suffix", [".json", ".relay"])
def test_a_saved_relay_module_comes_back_with_the_parameters_beside_it(tmp_path, suffix):
    saved = models.load({"model": "mlp"})
    text = tvm.ir.save_json(saved.mod) if suffix == ".json" else saved.mod.astext(show_meta_data=True)
    (tmp_path / f"net{suffix}").write_text(text)
    (tmp_path / "net.params").write_bytes(relay.save_param_dict(saved.params))
    model = models.load({"path": str(tmp_path / f"net{suffix}")})
    assert tvm.ir.structural_equal(model.mod, saved.mod, map_free_vars=True)
    assert model.inputs() == saved.inputs()
    np.testing.assert_array_equal(model.params["fc1_weight"].numpy(), saved.params["fc1_weight"].numpy())


def test_parameters_that_do_not_belong_to_the_module_are_refused(tmp_path):
    saved = models.load({"model": "mlp"})
    (tmp_path / "net.json").write_text(tvm.ir.save_json(saved.mod))
    (tmp_path / "net.params").write_bytes(relay.save_param_dict({"stranger": saved.params["fc1_weight"]}))
    assert "stranger" in refused({"path": str(tmp_path / "net.json")}).text


def test_text_that_is_no_relay_module_is_refused(tmp_path):
    (tmp_path / "net.relay").write_text("def main(:")
    assert refused({"path": str(tmp_path / "net.relay")}).kind == "unreadable-model"
    (tmp_path / "net.json").write_text('{"a": 1}')
    assert refused({"path": str(tmp_path / "net.json")}).kind == "unreadable-model"


def test_a_batch_that_a_saved_module_has_not_got_is_refused(tmp_path):
    (tmp_path / "net.json").write_text(tvm.ir.save_json(models.load({"model": "mlp"}).mod))
    assert refused({"path": str(tmp_path / "net.json"), "batch": 3}).kind == "bad-request"
