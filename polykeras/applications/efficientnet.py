"""`EfficientNetB0`: inverted residual blocks with squeeze and excitation."""

from __future__ import annotations

from typing import Any, Final

from polykeras.applications._architecture import (
    channel_axis,
    finished,
    image_input,
    shrinking_pad,
)
from polykeras.applications.imagenet_utils import decode_predictions
from polykeras.initializers import VarianceScaling
from polykeras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Normalization,
    Rescaling,
    Reshape,
    ZeroPadding2D,
    add,
    multiply,
)
from polykeras.models import Model

__all__ = ["EfficientNetB0", "decode_predictions", "preprocess_input"]

# Kernel, blocks, filters, expansion and first stride of each stage.
_STAGES: Final = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
_SQUEEZE: Final = 4
_DROP: Final = 0.2


def EfficientNetB0(  # noqa: N802 (the architecture's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "efficientnetb0",
) -> Model:
    """Return the smallest network of the family; it takes pixels from 0 to 255.

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

    Reference: Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for
    Convolutional Neural Networks" (table 1).

    >>> model = EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3))
    >>> model.output_shape
    (None, 1, 1, 1280)
    """
    inputs = image_input(
        name, input_shape, input_tensor, default=224, least=32, fixed=include_top
    )
    x = Rescaling(1.0 / 255.0)(inputs)
    x = Normalization(axis=channel_axis())(x)
    x = ZeroPadding2D(shrinking_pad(x, 3), name="stem_conv_pad")(x)
    x = _conv(x, 32, 3, "stem_conv", strides=2, padding="valid")
    x = _activated(x, "stem_bn", "stem_activation")
    total = sum(count for _, count, *_ in _STAGES)
    done = 0
    for i, (kernel, count, filters, expansion, stride) in enumerate(_STAGES, 1):
        for j in range(count):
            x = _block(
                x,
                f"block{i}{chr(ord('a') + j)}_",
                kernel,
                filters,
                expansion,
                stride if j == 0 else 1,
                _DROP * done / total,
            )
            done += 1
    x = _activated(_conv(x, 1280, 1, "top_conv"), "top_bn", "top_activation")
    return finished(
        inputs,
        x,
        weights,
        name=name,
        include_top=include_top,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        dropout=_DROP,
    )


def _scaled() -> VarianceScaling:
    return VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal")


def _conv(x: Any, filters: int, kernel: int, name: str, **more: Any) -> Any:
    settings = {"padding": "same", "use_bias": False, **more}
    return Conv2D(filters, kernel, kernel_initializer=_scaled(), name=name, **settings)(
        x
    )


def _activated(x: Any, bn: str, activation: str) -> Any:
    x = BatchNormalization(channel_axis(), name=bn)(x)
    return Activation("swish", name=activation)(x)


def _block(
    x: Any,
    name: str,
    kernel: int,
    filters: int,
    expansion: int,
    stride: int,
    drop: float,
) -> Any:
    """Return an inverted residual block with squeeze and excitation."""
    inputs, channels = x, x.shape[channel_axis()]
    wide = channels * expansion
    if expansion != 1:
        x = _conv(x, wide, 1, f"{name}expand_conv")
        x = _activated(x, f"{name}expand_bn", f"{name}expand_activation")
    if stride == 2:
        x = ZeroPadding2D(shrinking_pad(x, kernel), name=f"{name}dwconv_pad")(x)
    x = DepthwiseConv2D(
        kernel,
        strides=stride,
        padding="valid" if stride == 2 else "same",
        use_bias=False,
        depthwise_initializer=_scaled(),
        name=f"{name}dwconv",
    )(x)
    x = _activated(x, f"{name}bn", f"{name}activation")
    squeezed = max(1, channels // _SQUEEZE)
    gate = GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    shape = (1, 1, wide) if channel_axis() == -1 else (wide, 1, 1)
    gate = Reshape(shape, name=f"{name}se_reshape")(gate)
    biased = {"use_bias": True}
    gate = _conv(gate, squeezed, 1, f"{name}se_reduce", activation="swish", **biased)
    gate = _conv(gate, wide, 1, f"{name}se_expand", activation="sigmoid", **biased)
    x = multiply([x, gate], name=f"{name}se_excite")
    x = _conv(x, filters, 1, f"{name}project_conv")
    x = BatchNormalization(channel_axis(), name=f"{name}project_bn")(x)
    if stride == 1 and channels == filters:
        if drop:
            noise = (None, 1, 1, 1)
            x = Dropout(drop, noise_shape=noise, name=f"{name}drop")(x)
        x = add([x, inputs], name=f"{name}add")
    return x


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as they are: the network scales them itself."""
    return x
