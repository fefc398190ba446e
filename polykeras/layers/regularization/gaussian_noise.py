"""`GaussianNoise`: normal noise is added."""

from __future__ import annotations

from typing import Any

from polykeras import ops, random
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers.regularization._noise import NoiseLayer
from polykeras.registry import public

__all__ = ["GaussianNoise"]


@public
class GaussianNoise(NoiseLayer):
    """Add normal noise of mean 0 to the inputs in training.

    Args:
        stddev: Standard deviation of the noise.
        seed: An integer, for the same noise in every run.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `stddev` is negative.

    >>> import polykeras as keras
    >>> layer = keras.layers.GaussianNoise(0.1, seed=1)
    >>> layer(keras.ops.ones((2, 2))).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """

    def __init__(self, stddev: Any, seed: int | None = None, **kwargs: Any) -> None:
        """Check and remember the configuration."""
        if not isinstance(stddev, int | float) or stddev < 0:
            raise ArgumentError(
                f"GaussianNoise needs a stddev of at least 0, got {stddev!r}."
            )
        super().__init__(stddev, seed, **kwargs)
        self.stddev: float = stddev

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        if not training or self.stddev == 0:
            return inputs
        noise = random.normal(
            inputs.shape,
            mean=0.0,
            stddev=self.stddev,
            dtype=ops.dtype(inputs),
            seed=self.seed_generator,
        )
        return ops.add(inputs, noise)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}
