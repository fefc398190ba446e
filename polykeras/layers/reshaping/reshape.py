"""`Reshape`: another shape for each sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Reshape"]


@public
class Reshape(Layer):
    """Give each sample another shape.

    Args:
        target_shape: Sizes without the batch axis; one of them may be -1, which
            stands for what is left.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If more than one size is -1, or one is below.

    >>> import polykeras as keras
    >>> keras.layers.Reshape((3, 4))(keras.ops.ones((2, 12))).shape
    (2, 3, 4)
    >>> keras.layers.Reshape((-1, 2))(keras.ops.ones((2, 12))).shape
    (2, 6, 2)
    """

    def __init__(self, target_shape: int | Sequence[int], **kwargs: Any) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        sizes = (
            (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        )
        if (
            not all(isinstance(n, int) and n >= -1 for n in sizes)
            or sizes.count(-1) > 1
        ):
            raise ArgumentError(
                "Reshape needs a target_shape of ints, at most one of them -1, got "
                f"{target_shape!r}."
            )
        self.target_shape = sizes

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, *target_shape)``."""
        batch, *sizes = inputs.shape
        total = math.prod(sizes)
        known = math.prod(n for n in self.target_shape if n != -1)
        free = total // known if known else 0
        target = tuple(free if n == -1 else n for n in self.target_shape)
        if math.prod(target) != total:
            raise ShapeError(
                f"The layer {self.name!r} cannot reshape samples of shape "
                f"{tuple(sizes)}, {total} values, to {self.target_shape}."
            )
        return ops.reshape(inputs, (batch, *target))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "target_shape": self.target_shape}
