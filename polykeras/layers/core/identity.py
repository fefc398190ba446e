"""`Identity`: the inputs, unchanged."""

from __future__ import annotations

from typing import Any

from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Identity"]


@public
class Identity(Layer):
    """Return the inputs.

    It holds a place where another layer may stand, or gives a tensor a name.

    Args:
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.Identity()(keras.ops.ones((2, 3))).shape
    (2, 3)
    """

    def __init__(self, **kwargs: Any) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Return the inputs, a tensor or a structure of them."""
        return inputs
