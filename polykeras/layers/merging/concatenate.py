"""`Concatenate` and `concatenate`: tensors side by side."""

from __future__ import annotations

from functools import reduce
from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.layers.layer import Layer
from polykeras.layers.merging._merge import shapes_of_list
from polykeras.registry import public

__all__ = ["Concatenate", "concatenate"]


@public
class Concatenate(Layer):
    """Join several tensors along an axis.

    Args:
        axis: The axis along which sizes may differ.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> a, b = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[3.0]])
    >>> keras.layers.Concatenate()([a, b]).tolist()
    [[1.0, 2.0, 3.0]]
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit.

        Raises:
            ArgumentError: If the layer is called on something else than a list.
            ShapeError: If sizes differ along another axis.
        """
        shapes = shapes_of_list("Concatenate", input_shape)
        ranks = {len(s) for s in shapes}
        fits = len(ranks) == 1 and -max(ranks) <= self.axis < max(ranks)
        if fits:
            joined = self.axis % max(ranks)
            fits = all(
                i == joined or len({n for n in sizes if n is not None}) <= 1
                for i, sizes in enumerate(zip(*shapes, strict=True))
            )
        if not fits:
            raise ShapeError(
                f"The layer {self.name!r} cannot join inputs of shapes "
                f"{', '.join(map(str, shapes))} along axis {self.axis}: all other "
                "sizes must be equal."
            )

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Return one tensor that is as long along `axis` as all inputs together."""
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the masks joined; an input without a mask counts as valid."""
        if not isinstance(previous_mask, list | tuple):
            return None
        full = [
            _full_mask(x, mask) for x, mask in zip(inputs, previous_mask, strict=True)
        ]
        rank = len(inputs[0].shape)
        masked = max(len(m.shape) for m in previous_mask if m is not None)
        if self.axis % rank >= masked:
            return reduce(
                ops.logical_or, [m[(..., *(0,) * (rank - masked))] for m in full]
            )
        joined = ops.concatenate(full, axis=self.axis)
        return joined[(..., *(0,) * (rank - masked))]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}


def _full_mask(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return a mask of the shape of `x`."""
    if mask is None:
        return ops.ones(x.shape, dtype="bool")
    missing = len(x.shape) - len(mask.shape)
    mask = ops.reshape(mask, (*mask.shape, *(1,) * missing))
    return ops.broadcast_to(mask, x.shape)


def concatenate(inputs: list[Tensor], axis: int = -1, **kwargs: Any) -> Tensor:
    """Join several tensors along an axis.

    Args:
        inputs: Tensors whose other sizes are equal.
        axis: The axis.
        kwargs: Arguments of the layer `Concatenate`.

    Returns:
        One tensor that is as long along `axis` as all inputs together.
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
