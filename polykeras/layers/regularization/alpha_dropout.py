"""`AlphaDropout`: dropout that keeps mean and variance of SELU networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from polykeras import ops, random
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers.regularization._noise import NoiseLayer
from polykeras.registry import public

__all__ = ["AlphaDropout"]

# Minus scale * alpha of SELU: its limit towards minus infinity.
_SATURATED: Final = (
    -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717
)


@public
class AlphaDropout(NoiseLayer):
    """Set a random part of the inputs to SELU's lower limit in training.

    An affine map then restores the mean 0 and variance 1 that SELU keeps.

    Args:
        rate: The probability, below 1, that a value is replaced.
        noise_shape: Shape of the mask; along axes of size 1 it is shared, and None
            stands for the size of the inputs.
        seed: An integer, for the same masks in every run.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `rate` is not from 0 up to 1.

    Reference: Klambauer et al., 2017, "Self-Normalizing Neural Networks", section 2.

    >>> import polykeras as keras
    >>> layer = keras.layers.AlphaDropout(0.1, seed=1)
    >>> layer(keras.ops.ones((2, 2))).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        self.rate = self._rate("AlphaDropout", rate)
        if rate == 1:
            raise ArgumentError("AlphaDropout needs a rate below 1, got 1.")
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        if not training or self.rate == 0:
            return inputs
        sizes = self.noise_shape or (None,) * len(inputs.shape)
        shape = tuple(
            n if m is None else m for m, n in zip(sizes, inputs.shape, strict=True)
        )
        draw = random.uniform(shape, seed=self.seed_generator)
        kept = ops.greater_equal(draw, self.rate)
        x = ops.where(kept, inputs, ops.full_like(inputs, _SATURATED))
        keep = 1.0 - self.rate
        factor = (keep * (1.0 + self.rate * _SATURATED**2)) ** -0.5
        return ops.add(ops.multiply(x, factor), -factor * _SATURATED * self.rate)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
            "seed": self.seed,
        }
