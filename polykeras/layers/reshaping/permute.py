"""`Permute`: the axes of each sample in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Permute"]


@public
class Permute(Layer):
    """Put the axes of each sample into another order.

    Args:
        dims: The axes in their new order, counted from 1, without the batch axis.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `dims` is no permutation of ``1, ..., n``.

    >>> import polykeras as keras
    >>> keras.layers.Permute((2, 1))(keras.ops.ones((4, 10, 64))).shape
    (4, 64, 10)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                f"Permute needs the axes 1 to {len(self.dims)}, each once, in dims; "
                f"got {dims!r}. The batch axis is not counted."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs with their axes in the new order."""
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "dims": self.dims}
