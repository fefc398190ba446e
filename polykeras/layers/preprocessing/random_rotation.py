"""`RandomRotation`: turn images."""

from __future__ import annotations

import math
from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.preprocessing._images import SampledImageLayer, as_range
from polykeras.registry import public

__all__ = ["RandomRotation"]


@public
class RandomRotation(SampledImageLayer):
    """Turn images about their middle by random angles in training.

    Args:
        factor: Least and greatest angle as shares of a full turn, counter-clockwise;
            one number f means from -f to f.
        fill_mode: What lies outside of an image: ``"reflect"``, ``"wrap"``,
            ``"constant"`` or ``"nearest"``.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: An integer, for the same draws in every run.
        fill_value: The value outside for ``"constant"``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 2, 2, 1))
    >>> quarter = keras.layers.RandomRotation((0.25, 0.25), interpolation="nearest")
    >>> quarter(x)[0, :, :, 0].tolist()
    [[1.0, 3.0], [0.0, 2.0]]
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(
            fill_mode,
            interpolation,
            fill_value,
            seed=seed,
            data_format=data_format,
            **kwargs,
        )
        self.factor = as_range("RandomRotation", "factor", factor)

    def transforms(self, images: Tensor) -> list[Any]:
        """Return the rotation of each image."""
        height, width = self._size(images)
        angle = ops.multiply(self._draw(images, self.factor), 2.0 * math.pi)
        cos, sin = ops.cos(angle), ops.sin(angle)
        middle_x, middle_y = (width - 1) / 2.0, (height - 1) / 2.0
        shift_x = middle_x - cos * middle_x + sin * middle_y
        shift_y = middle_y - sin * middle_x - cos * middle_y
        return [cos, -sin, shift_x, sin, cos, shift_y]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "factor": list(self.factor)}
