"""What the architectures share: inputs, heads and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from polykeras import config
from polykeras.errors import ArgumentError, DataError
from polykeras.layers import (
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
)
from polykeras.models import Functional, Model
from polykeras.symbolic import KerasTensor

__all__ = ["channel_axis", "finished", "image_input", "pooled", "shrinking_pad"]


def channel_axis() -> int:
    """Return the axis of the channels."""
    return 1 if config.image_data_format() == "channels_first" else -1


def image_input(
    name: str,
    input_shape: Any,
    input_tensor: Any,
    *,
    default: int,
    least: int,
    fixed: bool,
) -> KerasTensor:
    """Return the input of an architecture.

    Args:
        name: The architecture, for messages.
        input_shape: Shape of an image, or None.
        input_tensor: A symbolic tensor to use, or None.
        default: Height and width that the head was made for.
        least: Height and width that are at least needed.
        fixed: Whether sizes must be known, as a head of dense layers wants it.

    Raises:
        ArgumentError: If the shape does not fit.
    """
    if input_tensor is not None:
        if isinstance(input_tensor, KerasTensor):
            return input_tensor
        raise ArgumentError(
            f"{name} takes a symbolic tensor as input_tensor, got {input_tensor!r}."
        )
    first = config.image_data_format() == "channels_first"
    if input_shape is None:
        size = default if fixed else None
        input_shape = (3, size, size) if first else (size, size, 3)
    shape = tuple(input_shape)
    sizes = shape[1:] if first else shape[:2]
    small = any(n is not None and n < least for n in sizes)
    if len(shape) != 3 or small or (fixed and None in sizes):
        raise ArgumentError(
            f"{name} takes images of at least {least} x {least} with their channels, "
            + ("of known sizes with include_top=True, " if fixed else "")
            + f"got input_shape={input_shape!r} ({config.image_data_format()})."
        )
    return Input(shape=shape)


def pooled(x: Any, pooling: str | None, name: str) -> Any:
    """Return features as the argument `pooling` says.

    Raises:
        ArgumentError: If it is not None, ``"avg"`` or ``"max"``.
    """
    if pooling is None:
        return x
    layers = {"avg": GlobalAveragePooling2D, "max": GlobalMaxPooling2D}
    if pooling not in layers:
        raise ArgumentError(
            f"{name} needs pooling None, 'avg' or 'max', got {pooling!r}."
        )
    return layers[pooling](name=f"{pooling}_pool")(x)


def finished(
    inputs: KerasTensor,
    x: Any,
    weights: Any,
    *,
    name: str | None,
    include_top: bool,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
    flat: bool = False,
    dropout: float = 0.0,
) -> Model:
    """Return the model of an architecture, with its head and weights.

    Args:
        inputs: The symbolic input.
        x: The features.
        weights: None, or the path of a file with weights.
        name: The model's name.
        include_top: Whether a classifier ends the model.
        pooling: Of the features without a classifier.
        classes: Of the classifier.
        classifier_activation: Of the classifier.
        flat: Whether `x` is flat, so that the classifier needs no pooling.
        dropout: Before the classifier.

    Raises:
        ArgumentError: If weights are asked for that would have to be downloaded.
        DataError: If there is no such file.
    """
    shown = name or "the model"
    if isinstance(weights, str) and weights == "imagenet":
        raise ArgumentError(
            f"The weights 'imagenet' of {shown} are not part of the package. Pass "
            "weights=None for random ones, or the path of a .weights.h5 or "
            ".safetensors file."
        )
    if weights is not None and not Path(weights).is_file():
        raise DataError(f"There is no file {str(weights)!r} with weights of {shown}.")
    if include_top:
        if not flat:
            x = GlobalAveragePooling2D(name="avg_pool")(x)
        if dropout:
            x = Dropout(dropout, name="top_dropout")(x)
        x = Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling, shown)
    model = Functional(inputs, x, name=name)
    if weights is not None:
        model.load_weights(weights)
    return model


def shrinking_pad(x: Any, kernel: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding before a convolution of stride 2, as TensorFlow's "same"."""
    first = config.image_data_format() == "channels_first"
    sizes = x.shape[2:] if first else x.shape[1:3]
    half = kernel // 2
    height, width = (half - (1 - n % 2) if n is not None else half for n in sizes)
    return (height, half), (width, half)
