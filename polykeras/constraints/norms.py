"""Constraints on the norms of slices, and on signs.

Reference: Srivastava et al., 2014, "Dropout: A Simple Way to Prevent Neural
Networks from Overfitting", section 5.1, for the bound on norms.
"""

from __future__ import annotations

from typing import Any

from polykeras import config, ops
from polykeras.backend import Tensor
from polykeras.constraints._constraint import Constraint
from polykeras.registry import public

__all__ = ["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"]


def _norm(w: Tensor, axis: Any) -> Tensor:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


def _rescale(w: Tensor, wanted: Tensor, norm: Tensor) -> Tensor:
    # A slice of zeros has no direction and stays as it is.
    return ops.multiply(w, ops.divide(wanted, ops.add(norm, config.epsilon())))


@public
class MaxNorm(Constraint):
    """Shrinks slices whose norm is too large.

    Args:
        max_value: The largest norm allowed.
        axis: The axis, or axes, over which a norm is taken: 0 for the inputs of a
            dense kernel, (0, 1, 2) for those of a two-dimensional convolution.

    >>> import polykeras as keras
    >>> w = keras.constraints.MaxNorm(1)(keras.ops.array([[3.0], [4.0]]))
    >>> keras.ops.round(w, 4)
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        """Remember bound and axis."""
        self.max_value = max_value
        self.axis = tuple(axis) if isinstance(axis, list) else axis

    def __call__(self, w: Tensor) -> Tensor:
        """Return `w` with bounded norms."""
        norm = _norm(w, self.axis)
        return _rescale(w, ops.clip(norm, 0, self.max_value), norm)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"max_value": self.max_value, "axis": self.axis}


@public
class MinMaxNorm(Constraint):
    """Brings the norms of slices into a range, or nearer to it.

    Args:
        min_value: The smallest norm allowed.
        max_value: The largest norm allowed.
        rate: How far to go: 1 for all the way, below 1 for that part of it.
        axis: The axis, or axes, over which a norm is taken.

    >>> import polykeras as keras
    >>> w = keras.constraints.MinMaxNorm(1.0, 2.0)(keras.ops.array([[0.3], [0.4]]))
    >>> keras.ops.round(w, 4)
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: Any = 0,
    ) -> None:
        """Remember bounds, rate and axis."""
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = tuple(axis) if isinstance(axis, list) else axis

    def __call__(self, w: Tensor) -> Tensor:
        """Return `w` with norms in or nearer to the range."""
        norm = _norm(w, self.axis)
        wanted = ops.clip(norm, self.min_value, self.max_value)
        if self.rate != 1:
            wanted = ops.add(
                ops.multiply(self.rate, wanted), ops.multiply(1 - self.rate, norm)
            )
        return _rescale(w, wanted, norm)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


@public
class NonNeg(Constraint):
    """Sets negative values to 0.

    >>> import polykeras as keras
    >>> keras.constraints.NonNeg()(keras.ops.array([-1.0, 2.0]))
    array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Tensor) -> Tensor:
        """Return `w` without negative values."""
        return ops.maximum(w, 0)


@public
class UnitNorm(Constraint):
    """Gives slices the norm 1.

    Args:
        axis: The axis, or axes, over which a norm is taken.

    >>> import polykeras as keras
    >>> w = keras.constraints.UnitNorm()(keras.ops.array([[3.0], [4.0]]))
    >>> keras.ops.round(w, 4)
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = 0) -> None:
        """Remember the axis."""
        self.axis = tuple(axis) if isinstance(axis, list) else axis

    def __call__(self, w: Tensor) -> Tensor:
        """Return `w` with norms of 1."""
        return _rescale(w, 1.0, _norm(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        """Return the axis."""
        return {"axis": self.axis}
