"""`RandomContrast`: stronger or weaker differences."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers.preprocessing._images import RandomImageLayer, value_bounds
from polykeras.registry import public

__all__ = ["RandomContrast"]


@public
class RandomContrast(RandomImageLayer):
    """Change how far pixels are from the mean of their channel, in training.

    Args:
        factor: How much weaker and stronger at most: ``(lower, upper)`` draws from
            ``1 - lower`` to ``1 + upper``; one number stands for both.
        value_range: The least and greatest value of a pixel; results are kept inside.
        seed: An integer, for the same draws in every run.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If a factor is negative or makes contrast negative.

    >>> import polykeras as keras
    >>> x = keras.ops.array([[[1.0], [3.0]]])
    >>> y = keras.layers.RandomContrast(0.5, value_range=(0, 9), seed=1)(x)
    >>> round(float(keras.ops.mean(y)), 4)
    2.0
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
        ends = factor if isinstance(factor, list | tuple) else (factor, factor)
        if len(ends) != 2 or not all(isinstance(v, int | float) for v in ends):
            raise ArgumentError(
                f"RandomContrast needs factor as a number or two, got {factor!r}."
            )
        if not (0 <= ends[0] <= 1 and ends[1] >= 0):
            raise ArgumentError(
                "RandomContrast needs factors from 0 to 1 downwards and from 0 on "
                f"upwards, got {factor!r}."
            )
        self.factor = (float(ends[0]), float(ends[1]))
        self.value_range = value_bounds("RandomContrast", value_range)

    def change(self, images: Tensor) -> Tensor:
        """Return the images with other contrasts."""
        axes = (self.height_axis, self.width_axis)
        mean = ops.mean(images, axis=axes, keepdims=True)
        factor = self._draw(images, (1.0 - self.factor[0], 1.0 + self.factor[1]))
        changed = ops.add(ops.multiply(ops.subtract(images, mean), factor), mean)
        return ops.clip(changed, *self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "factor": list(self.factor),
            "value_range": list(self.value_range),
        }
