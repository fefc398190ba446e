"""`RandomBrightness`: lighter or darker images."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.preprocessing._images import (
    RandomImageLayer,
    as_range,
    value_bounds,
)
from polykeras.registry import public

__all__ = ["RandomBrightness"]


@public
class RandomBrightness(RandomImageLayer):
    """Add a random amount to all pixels of an image, in training.

    Args:
        factor: Least and greatest amount as shares of the range of values, between -1
            and 1; one number f means from -f to f.
        value_range: The least and greatest value of a pixel; results are kept inside.
        seed: An integer, for the same draws in every run.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> x = keras.ops.array([[[10.0], [250.0]]])
    >>> keras.layers.RandomBrightness((0.1, 0.1))(x).tolist()
    [[[35.5], [255.0]]]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(seed, **kwargs)
        self.factor = as_range("RandomBrightness", "factor", factor, -1.0, 1.0)
        self.value_range = value_bounds("RandomBrightness", value_range)

    def change(self, images: Tensor) -> Tensor:
        """Return the images, lighter or darker."""
        low, high = self.value_range
        amount = ops.multiply(self._draw(images, self.factor), high - low)
        return ops.clip(ops.add(images, amount), low, high)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "factor": list(self.factor),
            "value_range": list(self.value_range),
        }
