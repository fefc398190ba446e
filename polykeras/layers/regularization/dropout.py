"""`Dropout`: a random part of the values becomes 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polykeras import ops, random
from polykeras.backend import Tensor
from polykeras.layers.regularization._noise import NoiseLayer
from polykeras.registry import public

__all__ = ["Dropout"]


@public
class Dropout(NoiseLayer):
    """Set a random part of the inputs to 0 in training and scale up the rest.

    What is kept is divided by ``1 - rate``, so that sums stay the same on average.
    The mask is the same on every backend.

    Args:
        rate: The probability of 0.
        noise_shape: Shape of the mask; along axes of size 1 it is shared, and None
            stands for the size of the inputs.
        seed: An integer, for the same masks in every run.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `rate` is not from 0 to 1.

    Reference: Srivastava et al., 2014, "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting".

    >>> import polykeras as keras
    >>> layer = keras.layers.Dropout(0.5, seed=1)
    >>> x = keras.ops.ones((2, 3))
    >>> layer(x).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    >>> sorted(set(layer(x, training=True).flatten().tolist()))
    [0.0, 2.0]
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        self.rate = self._rate(type(self).__name__, rate)
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return ops.zeros_like(inputs)
        return random.dropout(
            inputs, self.rate, self._mask_shape(inputs), self.seed_generator
        )

    def _mask_shape(self, inputs: Tensor) -> tuple[int | None, ...] | None:
        return self.noise_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }
