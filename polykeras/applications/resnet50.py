"""`ResNet50`: bottleneck blocks with shortcuts."""

from __future__ import annotations

from typing import Any, Final

from polykeras.applications import imagenet_utils
from polykeras.applications._architecture import channel_axis, finished, image_input
from polykeras.applications.imagenet_utils import decode_predictions
from polykeras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    MaxPooling2D,
    ZeroPadding2D,
)
from polykeras.models import Model

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]

# Filters, blocks and first stride of each stack.
_STACKS: Final = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))


def ResNet50(  # noqa: N802 (the architecture's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50",
) -> Model:
    """Return the residual network of 50 layers.

    Args:
        include_top: Whether the classifier ends the model.
        weights: None for random weights, or the path of a file.
        input_tensor: A symbolic tensor to build on.
        input_shape: Shape of an image, at least 32 x 32.
        pooling: Without the classifier: None, ``"avg"`` or ``"max"``.
        classes: Classes of the classifier.
        classifier_activation: Of the classifier.
        name: The model's name.

    Raises:
        ArgumentError: If the shape does not fit, or weights would have to be
            downloaded.

    Reference: He et al., 2015, "Deep Residual Learning for Image Recognition"
    (table 1).

    >>> model = ResNet50(include_top=False, weights=None, input_shape=(32, 32, 3))
    >>> model.output_shape
    (None, 1, 1, 2048)
    """
    inputs = image_input(
        name, input_shape, input_tensor, default=224, least=32, fixed=include_top
    )
    x = ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = _normalized(x, "conv1")
    x = Activation("relu", name="conv1_relu")(x)
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for i, (filters, count, stride) in enumerate(_STACKS, 2):
        for j in range(1, count + 1):
            first = j == 1
            x = _block(x, filters, stride if first else 1, f"conv{i}_block{j}", first)
    return finished(
        inputs,
        x,
        weights,
        name=name,
        include_top=include_top,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
    )


def _normalized(x: Any, name: str) -> Any:
    return BatchNormalization(channel_axis(), epsilon=1.001e-5, name=f"{name}_bn")(x)


def _block(x: Any, filters: int, stride: int, name: str, projects: bool) -> Any:
    """Return a bottleneck of three convolutions added to its input."""
    shortcut = x
    if projects:
        shortcut = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x)
        shortcut = _normalized(shortcut, f"{name}_0")
    x = Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
    x = Activation("relu", name=f"{name}_1_relu")(_normalized(x, f"{name}_1"))
    x = Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = Activation("relu", name=f"{name}_2_relu")(_normalized(x, f"{name}_2"))
    x = _normalized(Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x), f"{name}_3")
    x = Add(name=f"{name}_add")([shortcut, x])
    return Activation("relu", name=f"{name}_out")(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as the network wants them; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="caffe")
