"""The stack of convolutions that both VGG networks are."""

from __future__ import annotations

from typing import Any

from polykeras.applications._architecture import finished, image_input
from polykeras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from polykeras.models import Model

__all__ = ["vgg"]


def vgg(
    blocks: tuple[int, ...],
    *,
    include_top: bool,
    weights: Any,
    input_tensor: Any,
    input_shape: Any,
    name: str,
    **head: Any,
) -> Model:
    """Return a network of five blocks of convolutions.

    Args:
        blocks: Convolutions in each block.
        include_top: Whether the classifier ends the model.
        weights: None, or the path of a file.
        input_tensor: A symbolic tensor to build on.
        input_shape: Shape of an image.
        name: The model's name.
        head: The remaining arguments of `finished`.
    """
    inputs = image_input(
        name, input_shape, input_tensor, default=224, least=32, fixed=include_top
    )
    x: Any = inputs
    for i, count in enumerate(blocks, 1):
        for j in range(1, count + 1):
            x = Conv2D(
                min(32 * 2**i, 512),
                3,
                padding="same",
                activation="relu",
                name=f"block{i}_conv{j}",
            )(x)
        x = MaxPooling2D(2, strides=2, name=f"block{i}_pool")(x)
    if include_top:
        x = Flatten(name="flatten")(x)
        x = Dense(4096, activation="relu", name="fc1")(x)
        x = Dense(4096, activation="relu", name="fc2")(x)
    return finished(
        inputs, x, weights, name=name, include_top=include_top, flat=True, **head
    )
