"""AlexNet in Relay, with torchvision's shapes (relay.testing has none)."""

from tvm import relay
from tvm.relay.testing import layers

# (output channels, kernel, stride, padding, followed by a 3x3/2 max pool), as torchvision.models.alexnet.
_CONVS = (
    (64, 11, 4, 2, True),
    (192, 5, 1, 2, True),
    (384, 3, 1, 1, False),
    (256, 3, 1, 1, False),
    (256, 3, 1, 1, True),
)


def get_net(batch_size: int, num_classes: int = 1000, dtype: str = "float32") -> relay.Function:
    """AlexNet on `[batch_size, 3, 224, 224]`, ending in logits `[batch_size, num_classes]`.

    At 224x224 the last feature map is already 6x6, so torchvision's adaptive pooling is the identity.
    Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks" (2014).
    """
    net = relay.var("data", shape=(batch_size, 3, 224, 224), dtype=dtype)
    for i, (channels, kernel, stride, padding, pool) in enumerate(_CONVS, start=1):
        net = layers.conv2d(
            net,
            channels=channels,
            kernel_size=(kernel, kernel),
            strides=(stride, stride),
            padding=(padding, padding),
            name=f"conv{i}",
        )
        net = relay.nn.relu(relay.nn.bias_add(net, relay.var(f"conv{i}_bias")))
        if pool:
            net = relay.nn.max_pool2d(net, pool_size=(3, 3), strides=(2, 2))
    net = relay.nn.batch_flatten(net)
    for i, units in ((6, 4096), (7, 4096), (8, num_classes)):
        if i < 8:
            net = relay.nn.dropout(net, rate=0.5)
        net = layers.dense_add_bias(net, units=units, name=f"fc{i}")
        if i < 8:
            net = relay.nn.relu(net)
    return relay.Function(relay.analysis.free_vars(net), net)
