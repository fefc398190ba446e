"""`MobileNetV2`: inverted residual blocks of depthwise convolutions."""

from __future__ import annotations

from typing import Any, Final

from polykeras.applications import imagenet_utils
from polykeras.applications._architecture import (
    channel_axis,
    finished,
    image_input,
    shrinking_pad,
)
from polykeras.applications.imagenet_utils import decode_predictions
from polykeras.errors import ArgumentError
from polykeras.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    ReLU,
    ZeroPadding2D,
)
from polykeras.models import Model

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# Filters, blocks and first stride of each stage; every block but the first expands.
_STAGES: Final = (
    (16, 1, 1),
    (24, 2, 2),
    (32, 3, 2),
    (64, 4, 2),
    (96, 3, 1),
    (160, 3, 2),
    (320, 1, 1),
)
_EXPANSION: Final = 6


def MobileNetV2(  # noqa: N802 (the architecture's name)
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """Return the second network for phones.

    Args:
        input_shape: Shape of an image, at least 32 x 32.
        alpha: A factor on the numbers of filters.
        include_top: Whether the classifier ends the model.
        weights: None for random weights, or the path of a file.
        input_tensor: A symbolic tensor to build on.
        pooling: Without the classifier: None, ``"avg"`` or ``"max"``.
        classes: Classes of the classifier.
        classifier_activation: Of the classifier.
        name: The model's name; None names it by `alpha` and the size.

    Raises:
        ArgumentError: If the shape does not fit, or weights would have to be
            downloaded.

    Reference: Sandler et al., 2018, "MobileNetV2: Inverted Residuals and Linear
    Bottlenecks" (table 2).

    >>> model = MobileNetV2((32, 32, 3), include_top=False, weights=None)
    >>> model.output_shape
    (None, 1, 1, 1280)
    """
    if not alpha > 0:
        raise ArgumentError(f"MobileNetV2 needs a positive alpha, got {alpha!r}.")
    inputs = image_input(
        "MobileNetV2", input_shape, input_tensor, default=224, least=32, fixed=False
    )
    x = Conv2D(
        _rounded(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1"
    )(inputs)
    x = ReLU(6.0, name="Conv1_relu")(_normalized(x, "bn_Conv1"))
    number = 0
    for filters, count, stride in _STAGES:
        for j in range(count):
            wide = _rounded(filters * alpha)
            x = _block(x, wide, stride if j == 0 else 1, number)
            number += 1
    last = _rounded(1280 * alpha) if alpha > 1 else 1280
    x = Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
    x = ReLU(6.0, name="out_relu")(_normalized(x, "Conv_1_bn"))
    size = inputs.shape[1 if channel_axis() == -1 else 2]
    return finished(
        inputs,
        x,
        weights,
        name=name or f"mobilenetv2_{alpha:0.2f}_{size or 224}",
        include_top=include_top,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
    )


def _rounded(filters: float) -> int:
    """Return the nearest multiple of 8 that is no more than a tenth less."""
    new = max(8, int(filters + 4) // 8 * 8)
    return new + 8 if new < 0.9 * filters else new


def _normalized(x: Any, name: str) -> Any:
    return BatchNormalization(channel_axis(), epsilon=1e-3, momentum=0.999, name=name)(
        x
    )


def _block(x: Any, filters: int, stride: int, number: int) -> Any:
    """Return an expansion, a depthwise convolution and a projection."""
    inputs, channels = x, x.shape[channel_axis()]
    prefix = f"block_{number}_" if number else "expanded_conv_"
    if number:
        wide = _EXPANSION * channels
        x = Conv2D(wide, 1, use_bias=False, name=f"{prefix}expand")(x)
        x = _normalized(x, f"{prefix}expand_BN")
        x = ReLU(6.0, name=f"{prefix}expand_relu")(x)
    if stride == 2:
        x = ZeroPadding2D(shrinking_pad(x, 3), name=f"{prefix}pad")(x)
    x = DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        name=f"{prefix}depthwise",
    )(x)
    x = _normalized(x, f"{prefix}depthwise_BN")
    x = ReLU(6.0, name=f"{prefix}depthwise_relu")(x)
    x = Conv2D(filters, 1, use_bias=False, name=f"{prefix}project")(x)
    x = _normalized(x, f"{prefix}project_BN")
    if channels == filters and stride == 1:
        return Add(name=f"{prefix}add")([inputs, x])
    return x


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as the network wants them; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
