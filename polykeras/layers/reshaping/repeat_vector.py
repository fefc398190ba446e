"""`RepeatVector`: the same vector at each time step."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers._input_spec import InputSpec
from polykeras.layers._sizes import positive
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["RepeatVector"]


@public
class RepeatVector(Layer):
    """Repeat each vector `n` times along a new time axis.

    Args:
        n: Number of time steps.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `n` is not a positive int.

    >>> import polykeras as keras
    >>> keras.layers.RepeatVector(3)(keras.ops.ones((2, 32))).shape
    (2, 3, 32)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        self.n = positive("RepeatVector", "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, n, F)`` for inputs of shape ``(B, F)``."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "n": self.n}
