"""What layers that combine several tensors share."""

from __future__ import annotations

from functools import reduce
from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers.layer import Layer

__all__ = ["Merge", "any_mask"]

Shape = tuple[int | None, ...]


class Merge(Layer):
    """A layer that combines tensors value by value.

    Shapes broadcast over all axes but the batch; a tensor with fewer axes gets new
    ones after the batch axis.

    Args:
        kwargs: See `Layer`.
    """

    def __init__(self, **kwargs: Any) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit.

        Raises:
            ArgumentError: If the layer is called on something else than a list.
            ShapeError: If the shapes do not broadcast.
        """
        shapes = shapes_of_list(type(self).__name__, input_shape)
        rank = max(len(s) for s in shapes)
        aligned = [(s[0], *(1,) * (rank - len(s)), *s[1:]) for s in shapes if s]
        for sizes in zip(*aligned, strict=True):
            if len({n for n in sizes if n not in (None, 1)}) > 1:
                raise ShapeError(
                    f"The layer {self.name!r} cannot combine inputs of shapes "
                    f"{', '.join(map(str, shapes))}: sizes must be equal or 1."
                )

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Return one tensor of the broadcast shape."""
        return self._combine(_of_one_rank(inputs))

    def _combine(self, inputs: list[Tensor]) -> Tensor:
        return reduce(self._pair, inputs)

    def _pair(self, a: Tensor, b: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} combines no pairs.")

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return where any input is valid, or None if one has no mask."""
        return any_mask(previous_mask)


def shapes_of_list(layer: str, input_shape: Any) -> list[Shape]:
    """Return the shapes of a list of tensors.

    Raises:
        ArgumentError: If it is one tensor's shape.
    """
    given = list(input_shape or [])
    if not given or not all(isinstance(s, list | tuple) for s in given):
        raise ArgumentError(
            f"{layer} takes a list of tensors, got one tensor of shape {input_shape}. "
            "Call it as layer([a, b])."
        )
    return [tuple(s) for s in given]


def any_mask(masks: Any) -> Any:
    """Return the union of masks, or None if an input has none."""
    if not isinstance(masks, list | tuple) or any(m is None for m in masks):
        return None
    return reduce(ops.logical_or, masks)


def _of_one_rank(inputs: list[Tensor]) -> list[Tensor]:
    rank = max(len(x.shape) for x in inputs)
    return [
        ops.reshape(x, (x.shape[0], *(1,) * (rank - len(x.shape)), *x.shape[1:]))
        if 0 < len(x.shape) < rank
        else x
        for x in inputs
    ]
