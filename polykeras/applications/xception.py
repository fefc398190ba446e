"""`Xception`: separable convolutions with shortcuts."""

from __future__ import annotations

from typing import Any

from polykeras.applications import imagenet_utils
from polykeras.applications._architecture import channel_axis, finished, image_input
from polykeras.applications.imagenet_utils import decode_predictions
from polykeras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    MaxPooling2D,
    SeparableConv2D,
    add,
)
from polykeras.models import Model

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def Xception(  # noqa: N802 (the architecture's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "xception",
) -> Model:
    """Return the network of separable convolutions.

    Args:
        include_top: Whether the classifier ends the model.
        weights: None for random weights, or the path of a file.
        input_tensor: A symbolic tensor to build on.
        input_shape: Shape of an image, at least 71 x 71.
        pooling: Without the classifier: None, ``"avg"`` or ``"max"``.
        classes: Classes of the classifier.
        classifier_activation: Of the classifier.
        name: The model's name.

    Raises:
        ArgumentError: If the shape does not fit, or weights would have to be
            downloaded.

    Reference: Chollet, 2016, "Xception: Deep Learning with Depthwise Separable
    Convolutions" (figure 5).

    >>> model = Xception(include_top=False, weights=None, input_shape=(71, 71, 3))
    >>> model.output_shape
    (None, 3, 3, 2048)
    """
    inputs = image_input(
        name, input_shape, input_tensor, default=299, least=71, fixed=include_top
    )
    x = Conv2D(32, 3, strides=2, use_bias=False, name="block1_conv1")(inputs)
    x = _activated(_normalized(x, "block1_conv1_bn"), "block1_conv1_act")
    x = Conv2D(64, 3, use_bias=False, name="block1_conv2")(x)
    x = _activated(_normalized(x, "block1_conv2_bn"), "block1_conv2_act")
    for i, filters in enumerate((128, 256, 728), 2):
        shortcut = _projected(x, filters)
        if i > 2:
            x = _activated(x, f"block{i}_sepconv1_act")
        x = _separable(x, filters, f"block{i}_sepconv1")
        x = _activated(x, f"block{i}_sepconv2_act")
        x = _separable(x, filters, f"block{i}_sepconv2")
        x = _shrunk(x, f"block{i}_pool")
        x = add([x, shortcut])
    for i in range(5, 13):
        shortcut = x
        for j in range(1, 4):
            x = _activated(x, f"block{i}_sepconv{j}_act")
            x = _separable(x, 728, f"block{i}_sepconv{j}")
        x = add([x, shortcut])
    shortcut = _projected(x, 1024)
    for j, filters in enumerate((728, 1024), 1):
        x = _activated(x, f"block13_sepconv{j}_act")
        x = _separable(x, filters, f"block13_sepconv{j}")
    x = add([_shrunk(x, "block13_pool"), shortcut])
    for j, filters in enumerate((1536, 2048), 1):
        x = _separable(x, filters, f"block14_sepconv{j}")
        x = _activated(x, f"block14_sepconv{j}_act")
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


def _normalized(x: Any, name: str | None) -> Any:
    return BatchNormalization(channel_axis(), name=name)(x)


def _activated(x: Any, name: str) -> Any:
    return Activation("relu", name=name)(x)


def _separable(x: Any, filters: int, name: str) -> Any:
    x = SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return _normalized(x, f"{name}_bn")


def _projected(x: Any, filters: int) -> Any:
    x = Conv2D(filters, 1, strides=2, padding="same", use_bias=False)(x)
    return _normalized(x, None)


def _shrunk(x: Any, name: str) -> Any:
    return MaxPooling2D(3, strides=2, padding="same", name=name)(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as the network wants them; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
