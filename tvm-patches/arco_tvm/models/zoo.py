"""Networks that are known by name: made from code, with weights from a fixed seed, nothing to download."""

from collections.abc import Callable

import numpy as np
import tvm
from tvm import relay
from tvm.relay.testing import mlp, mobilenet, resnet, squeezenet, vgg
from tvm.relay.testing.init import Xavier

from arco_tvm.errors import unknown_name
from arco_tvm.models import alexnet
from arco_tvm.models.model import Model

_IMAGENET = (3, 224, 224)


def _resnet(layers: int, image_shape: tuple[int, ...] = _IMAGENET, classes: int = 1000):
    return lambda batch: resnet.get_net(batch, classes, layers, image_shape, dtype="float32")


def _vgg(layers: int):
    return lambda batch: vgg.get_net(batch, _IMAGENET, 1000, "float32", layers)


#: Name -> (one line about it, function from batch size to the network).
ZOO: dict[str, tuple[str, Callable[[int], relay.Function]]] = {
    "alexnet": ("AlexNet, 224x224, torchvision's shapes", alexnet.get_net),
    "mlp": ("three dense layers on 28x28", lambda batch: mlp.get_net(batch)),
    "mobilenet": (
        "MobileNet v1, 224x224",
        lambda batch: mobilenet.mobile_net(1000, (batch, *_IMAGENET), "float32", 1.0, False, "NCHW"),
    ),
    "resnet-8": ("ResNet with 8 layers on 28x28, for tests and demos", _resnet(8, (3, 28, 28), 10)),
    "resnet-18": ("ResNet-18 v2, 224x224", _resnet(18)),
    "resnet-34": ("ResNet-34 v2, 224x224", _resnet(34)),
    "squeezenet": (
        "SqueezeNet v1.1, 224x224",
        lambda batch: squeezenet.get_net(batch, _IMAGENET, 1000, "1.1", "float32"),
    ),
    "vgg-11": ("VGG-11, 224x224", _vgg(11)),
    "vgg-13": ("VGG-13, 224x224", _vgg(13)),
    "vgg-16": ("VGG-16, 224x224", _vgg(16)),
    "vgg-19": ("VGG-19, 224x224", _vgg(19)),
}


def load(name: str, batch: int = 1, seed: int = 0) -> Model:
    """A network of the zoo.

    # Errors
    "unknown-model", listing the known names and the closest ones.
    """
    if name not in ZOO:
        raise unknown_name("unknown-model", "model", name, list(ZOO))
    mod = relay.transform.InferType()(tvm.IRModule.from_expr(ZOO[name][1](batch)))
    return Model(name, mod, lambda: _weights(mod, seed), constants_matter=False)


def _weights(mod: tvm.IRModule, seed: int) -> dict[str, tvm.nd.NDArray]:
    """Random weights, in the order of the parameters.

    Uniform in +-sqrt(6 / fan-in) (He et al. 2015), which keeps the size of activations through ReLU. With
    the smaller ones of `relay.testing.create_workload` MobileNet's output is the same number a thousand
    times, and a schedule that computes nonsense would pass for right.
    """
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        initialise, params = Xavier("uniform", "in", magnitude=6), {}
        for var in mod["main"].params:
            if var.name_hint == "data":
                continue
            value = np.zeros(var.checked_type.concrete_shape).astype(var.checked_type.dtype)
            initialise(var.name_hint, value)
            params[var.name_hint] = tvm.nd.array(value)
        return params
    finally:
        np.random.set_state(state)
