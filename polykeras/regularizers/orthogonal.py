"""A penalty on rows or columns that are not orthogonal."""

from __future__ import annotations

from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.registry import public
from polykeras.regularizers._regularizer import Regularizer, factor

__all__ = ["OrthogonalRegularizer"]

_MODES: Final = ("rows", "columns")


@public
class OrthogonalRegularizer(Regularizer):
    """Penalises the mean absolute cosine between different rows (or columns).

    Args:
        factor: The factor.
        mode: ``"rows"`` or ``"columns"``.

    Raises:
        ArgumentError: If the mode is unknown or the factor negative.
        ShapeError: When called with a tensor that has not two axes.

    >>> import polykeras as keras
    >>> penalty = keras.regularizers.OrthogonalRegularizer(1.0)(keras.ops.ones((2, 3)))
    >>> round(float(penalty), 6)
    1.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        """Check and remember the arguments."""
        self.factor = _factor(factor)
        if mode not in _MODES:
            raise ArgumentError(f"Unknown mode {mode!r}. {nearest(mode, _MODES)}")
        self.mode = mode

    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty, a 0-d tensor."""
        if len(x.shape) != 2:
            raise ShapeError(
                "OrthogonalRegularizer expected a tensor with two axes, got shape "
                f"{tuple(x.shape)}."
            )
        axis = 1 if self.mode == "rows" else 0
        square = ops.sum(ops.square(x), axis=axis, keepdims=True)
        unit = ops.multiply(x, ops.rsqrt(ops.maximum(square, 1e-12)))
        if axis == 0:
            unit = ops.transpose(unit)
        size = int(unit.shape[0])
        cosines = ops.matmul(unit, ops.transpose(unit))
        off = ops.multiply(
            cosines, ops.subtract(1.0, ops.eye(size, dtype=ops.dtype(unit)))
        )
        pairs = max(size * (size - 1), 1)
        return ops.multiply(self.factor / pairs, ops.sum(ops.abs(off)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"factor": self.factor, "mode": self.mode}


def _factor(value: Any) -> float:
    return factor(value, "factor", 0.01)
