"""What layers that draw random numbers in training share."""

from __future__ import annotations

from typing import Any

from polykeras.errors import ArgumentError
from polykeras.layers.layer import Layer
from polykeras.random import SeedGenerator

__all__ = ["NoiseLayer"]


class NoiseLayer(Layer):
    """A layer that is the identity outside of training.

    Args:
        amount: How strong the noise is; at 0 nothing is drawn.
        seed: An integer, for the same draws in every run.
        kwargs: See `Layer`.
    """

    def __init__(self, amount: float, seed: int | None, **kwargs: Any) -> None:
        """Make a generator if there is anything to draw."""
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed) if amount > 0 else None
        self.supports_masking = True

    @staticmethod
    def _rate(layer: str, rate: Any) -> float:
        """Return a probability.

        Raises:
            ArgumentError: If it is not from 0 to 1.
        """
        if not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ArgumentError(f"{layer} needs a rate from 0 to 1, got {rate!r}.")
        return rate
