"""`Flatten`: each sample as one vector."""

from __future__ import annotations

import math
from typing import Any

from polykeras import config, ops
from polykeras.backend import Tensor
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Flatten"]


@public
class Flatten(Layer):
    """Lay out each sample as one vector, channels varying fastest.

    Args:
        data_format: Where the channels of the inputs are; with ``"channels_first"``
            they are moved last, so that weights after this layer fit both formats.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.Flatten()(keras.ops.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, size of a sample)``."""
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 1:
            inputs = ops.transpose(inputs, (0, *range(2, rank), 1))
        batch, *sizes = inputs.shape
        return ops.reshape(inputs, (batch, math.prod(sizes)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "data_format": self.data_format}
