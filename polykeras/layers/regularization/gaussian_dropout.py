"""`GaussianDropout`: values are multiplied by normal noise."""

from __future__ import annotations

import math
from typing import Any

from polykeras import ops, random
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers.regularization._noise import NoiseLayer
from polykeras.registry import public

__all__ = ["GaussianDropout"]


@public
class GaussianDropout(NoiseLayer):
    """Multiply the inputs by normal noise of mean 1 in training.

    The noise has the variance ``rate / (1 - rate)`` of the mask of `Dropout`.

    Args:
        rate: The rate of the dropout that it stands for, below 1.
        seed: An integer, for the same noise in every run.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `rate` is not from 0 up to 1.

    Reference: Srivastava et al., 2014, "Dropout", section 10.

    >>> import polykeras as keras
    >>> layer = keras.layers.GaussianDropout(0.1, seed=1)
    >>> layer(keras.ops.ones((2, 2))).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        """Check and remember the configuration."""
        self.rate = self._rate("GaussianDropout", rate)
        if rate == 1:
            raise ArgumentError("GaussianDropout needs a rate below 1, got 1.")
        super().__init__(rate, seed, **kwargs)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        if not training or self.rate == 0:
            return inputs
        noise = random.normal(
            inputs.shape,
            mean=1.0,
            stddev=math.sqrt(self.rate / (1.0 - self.rate)),
            dtype=ops.dtype(inputs),
            seed=self.seed_generator,
        )
        return ops.multiply(inputs, noise)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
