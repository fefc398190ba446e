"""Initializers that draw from a given distribution, whatever the shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polykeras import random
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.initializers._initializer import RandomInitializer
from polykeras.registry import public

__all__ = ["RandomNormal", "RandomUniform", "TruncatedNormal"]


@public
class RandomNormal(RandomInitializer):
    """Draws from a normal distribution.

    Args:
        mean: Mean.
        stddev: Standard deviation.
        seed: An integer, a `SeedGenerator`, or None.

    >>> import polykeras as keras
    >>> keras.initializers.RandomNormal(stddev=1.0, seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None
    ) -> None:
        """Remember the distribution."""
        self.mean = mean
        self.stddev = _deviation(stddev)
        super().__init__(seed)

    def draw(self, shape: Sequence[int], dtype: str, seed: Any) -> Tensor:
        """Return the values."""
        return random.normal(shape, self.mean, self.stddev, dtype, seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@public
class TruncatedNormal(RandomInitializer):
    """Draws from a normal distribution without what lies beyond two deviations.

    Args:
        mean: Mean.
        stddev: Standard deviation before truncation.
        seed: An integer, a `SeedGenerator`, or None.

    >>> import polykeras as keras
    >>> keras.initializers.TruncatedNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None
    ) -> None:
        """Remember the distribution."""
        self.mean = mean
        self.stddev = _deviation(stddev)
        super().__init__(seed)

    def draw(self, shape: Sequence[int], dtype: str, seed: Any) -> Tensor:
        """Return the values."""
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@public
class RandomUniform(RandomInitializer):
    """Draws from a uniform distribution.

    Args:
        minval: Lower bound.
        maxval: Upper bound.
        seed: An integer, a `SeedGenerator`, or None.

    >>> import polykeras as keras
    >>> keras.initializers.RandomUniform(seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None
    ) -> None:
        """Remember the distribution."""
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed)

    def draw(self, shape: Sequence[int], dtype: str, seed: Any) -> Tensor:
        """Return the values."""
        return random.uniform(shape, self.minval, self.maxval, dtype, seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


def _deviation(stddev: Any) -> float:
    if not isinstance(stddev, int | float) or not stddev >= 0:
        raise ArgumentError(f"stddev must be a number of at least 0, got {stddev!r}.")
    return stddev
