"""`Initializer`: a recipe for the first values of a variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from polykeras import config, dtypes
from polykeras.arguments import CheckedArguments
from polykeras.backend import (
    REFERENCE,
    Array,
    Tensor,
    active,
    engine_scope,
    get_backend,
)
from polykeras.errors import ArgumentError, DTypeError
from polykeras.naming import describe
from polykeras.ops._shapes import as_shape
from polykeras.random import SeedGenerator, draw_seed, make_default_seed
from polykeras.registry import deserialize_keras_object, serialize_keras_object

__all__ = ["Initializer", "RandomInitializer"]


class Initializer(CheckedArguments):
    """Base class of initializers.

    A subclass gives `host_values`, or `__call__` for full control; `get_config`
    returns the constructor's arguments.

    >>> import polykeras as keras
    >>> class Threes(keras.initializers.Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return 3 * keras.ops.ones(shape, dtype)
    >>> Threes()((2,))
    array([3., 3.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return the values on the active backend.

        Args:
            shape: Sizes of the variable.
            dtype: The dtype; None means floatx.

        Returns:
            A tensor of shape `shape`.
        """
        name = dtypes.standardize_dtype(dtype or config.floatx())
        return active().convert_to_tensor(self.host_values(as_shape(shape), name), name)

    def host_values(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Return the values as a NumPy array, the same whatever backend is active.

        Args:
            shape: Sizes of the variable.
            dtype: Canonical name of the dtype that the variable will have.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has neither __call__(shape, dtype) nor "
            "host_values(shape, dtype)."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the initializer that a config describes."""
        return cls(**deserialize_keras_object(config))

    def clone(self) -> Self:
        """Return a new initializer with the same config."""
        return type(self).from_config(self.get_config())

    def __repr__(self) -> str:
        return describe(self, self.get_config())


class RandomInitializer(Initializer):
    """Base class of initializers that draw.

    Draws run on the reference backend, so one seed gives the same bits on every
    backend. An instance gives the same values at each call; to get new ones, give
    it a `SeedGenerator`.

    Args:
        seed: An integer, a `SeedGenerator`, or None for a seed from the global
            generator, taken when the initializer is made.
    """

    def __init__(self, seed: Any = None) -> None:
        """Fix the seed."""
        self._given_seed = seed
        if seed is None:
            seed = make_default_seed()
        elif not isinstance(seed, int | np.integer | SeedGenerator):
            raise ArgumentError(
                "Expected seed to be an integer, a SeedGenerator or None, got "
                f"{seed!r} of type {type(seed).__name__}."
            )
        self.seed = seed

    def host_values(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Draw on the reference backend."""
        if not dtypes.is_float(dtype):
            raise DTypeError(
                f"{type(self).__name__} expected a floating-point dtype, got {dtype}. "
                "Use Zeros, Ones or Constant for other dtypes."
            )
        key: Any = self.seed
        if isinstance(key, SeedGenerator):
            key = key.state.backend.to_numpy(draw_seed(key))
        reference = get_backend(REFERENCE)
        with engine_scope(reference):
            return reference.to_numpy(self.draw(shape, dtype, key))

    def draw(self, shape: Sequence[int], dtype: str, seed: Any) -> Tensor:
        """Return the values, drawn with `seed`, on the reference backend."""
        raise NotImplementedError(f"{type(self).__name__} has no draw().")

    def get_config(self) -> dict[str, Any]:
        """Return the seed as it was given."""
        return {"seed": serialize_keras_object(self._given_seed)}
