"""`Dot` and `dot`: products summed over one axis of each of two tensors."""

from __future__ import annotations

import math
from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers.layer import Layer
from polykeras.layers.merging._merge import shapes_of_list
from polykeras.registry import public

__all__ = ["Dot", "dot"]

_OPERANDS: Final = 2


@public
class Dot(Layer):
    """Sum products over one axis of each of two tensors, sample by sample.

    Args:
        axes: The axis of both tensors, or one axis for each; not the batch axis.
        normalize: Whether vectors are divided by their lengths first, which makes
            the results cosines.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `axes` is neither an int nor two.

    >>> import polykeras as keras
    >>> a, b = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[3.0, 4.0]])
    >>> keras.layers.Dot(axes=1)([a, b]).tolist()
    [[11.0]]
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        given = (axes, axes) if isinstance(axes, int) else axes
        if (
            not isinstance(given, list | tuple)
            or len(given) != _OPERANDS
            or not all(isinstance(a, int) and a != 0 for a in given)
        ):
            raise ArgumentError(
                f"Dot needs axes as an int or two, none of them the batch axis 0, got "
                f"{axes!r}."
            )
        self.axes = axes
        self._pair = tuple(given)
        self.normalize = normalize
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Check that the axes exist and have equal sizes.

        Raises:
            ArgumentError: If the layer is not called on two tensors.
            ShapeError: If the axes do not fit.
        """
        shapes = shapes_of_list("Dot", input_shape)
        if len(shapes) != _OPERANDS:
            raise ArgumentError(f"Dot takes two tensors, got {len(shapes)}.")
        sizes = set()
        for shape, axis in zip(shapes, self._pair, strict=True):
            fits = -len(shape) < axis < len(shape)
            sizes.add(shape[axis] if fits else -1)
        sizes.discard(None)
        if len(sizes) > 1 or -1 in sizes:
            raise ShapeError(
                f"The layer {self.name!r} cannot sum over the axes {self._pair} of "
                f"inputs of shapes {shapes[0]} and {shapes[1]}: they must exist and "
                "have equal sizes."
            )

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Return ``(B, other axes of the first, of the second)``, at least 2 axes."""
        a, b = inputs
        first, second = (
            axis % len(x.shape) for axis, x in zip(self._pair, (a, b), strict=True)
        )
        if self.normalize:
            a = ops.normalize(a, axis=first)
            b = ops.normalize(b, axis=second)
        a, b = ops.moveaxis(a, first, -1), ops.moveaxis(b, second, 1)
        batch, kept_a, kept_b = a.shape[0], tuple(a.shape[1:-1]), tuple(b.shape[2:])
        size = a.shape[-1]
        rows = ops.reshape(a, (batch, math.prod(kept_a), size))
        columns = ops.reshape(b, (batch, size, math.prod(kept_b)))
        out = ops.matmul(rows, columns)
        return ops.reshape(out, (batch, *(kept_a + kept_b or (1,))))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: the masked axes are summed over or mixed."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def dot(inputs: list[Tensor], axes: Any = -1, **kwargs: Any) -> Tensor:
    """Sum products over one axis of each of two tensors, sample by sample.

    Args:
        inputs: Two tensors.
        axes: The axis of both tensors, or one axis for each.
        kwargs: Arguments of the layer `Dot`, such as `normalize`.

    Returns:
        A tensor with the other axes of the first and of the second.
    """
    return Dot(axes=axes, **kwargs)(inputs)
