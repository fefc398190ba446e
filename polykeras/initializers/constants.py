"""Initializers that do not draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras import ops
from polykeras.backend import Array
from polykeras.dtypes import as_numpy_dtype
from polykeras.errors import ShapeError
from polykeras.initializers._initializer import Initializer
from polykeras.registry import public, serialize_keras_object

__all__ = ["Constant", "Identity", "Ones", "Zeros"]


@public
class Zeros(Initializer):
    """Makes zeros.

    >>> import polykeras as keras
    >>> keras.initializers.Zeros()((2,))
    array([0., 0.], dtype=float32)
    """

    def host_values(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Return zeros."""
        return np.zeros(shape, as_numpy_dtype(dtype))


@public
class Ones(Initializer):
    """Makes ones.

    >>> import polykeras as keras
    >>> keras.initializers.Ones()((2,))
    array([1., 1.], dtype=float32)
    """

    def host_values(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Return ones."""
        return np.ones(shape, as_numpy_dtype(dtype))


@public
class Constant(Initializer):
    """Makes copies of a value.

    Args:
        value: A number, or an array that broadcasts to the shape asked for.

    Raises:
        ShapeError: When called, if the value does not broadcast.

    >>> import polykeras as keras
    >>> keras.initializers.Constant(3)((2,))
    array([3., 3.], dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        """Remember the value."""
        self.value = value

    def host_values(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Return the value, broadcast."""
        value = self.value
        if not isinstance(value, int | float | complex | list | tuple | np.ndarray):
            value = ops.convert_to_numpy(value)
        array = np.asarray(value, as_numpy_dtype(dtype))
        try:
            return np.array(np.broadcast_to(array, shape))
        except ValueError:
            raise ShapeError(
                f"Constant has a value of shape {array.shape}, which does not "
                f"broadcast to the shape {shape} that was asked for."
            ) from None

    def get_config(self) -> dict[str, Any]:
        """Return the value as plain data."""
        value = self.value
        if not isinstance(value, int | float | complex | list | tuple | np.ndarray):
            value = ops.convert_to_numpy(value)
        return {"value": serialize_keras_object(value)}


@public
class Identity(Initializer):
    """Makes an identity matrix, scaled.

    Args:
        gain: The value on the diagonal.

    Raises:
        ShapeError: When called with a shape that has not two axes.

    >>> import polykeras as keras
    >>> keras.initializers.Identity(2.0)((2, 2))
    array([[2., 0.],
           [0., 2.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        """Remember the gain."""
        self.gain = gain

    def host_values(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Return the matrix."""
        if len(shape) != 2:
            raise ShapeError(
                f"Identity makes matrices, but the shape {shape} was asked for."
            )
        scaled = self.gain * np.eye(*shape, dtype=np.float64)
        return scaled.astype(as_numpy_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the gain."""
        return {"gain": self.gain}
