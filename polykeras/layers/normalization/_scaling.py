"""The scale and offset that normalisation layers learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polykeras import constraints, initializers, ops, regularizers
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers._sizes import not_negative
from polykeras.layers.layer import Layer

__all__ = ["ScaledLayer", "as_axes", "some_axes", "wide"]


class ScaledLayer(Layer):
    """A layer that multiplies by `gamma` and adds `beta` at the end.

    Args:
        epsilon: Added to variances.
        center: Whether `beta` is added.
        scale: Whether `gamma` multiplies.
        beta_initializer: Makes the offsets.
        gamma_initializer: Makes the factors.
        beta_regularizer: Adds to the loss.
        gamma_regularizer: Adds to the loss.
        beta_constraint: Applied after updates.
        gamma_constraint: Applied after updates.
        kwargs: See `Layer`.
    """

    def __init__(
        self,
        *,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.epsilon = not_negative(type(self).__name__, "epsilon", epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True

    def _add_scale_and_offset(self, shape: tuple[int, ...]) -> None:
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )

    def _known_sizes(
        self, input_shape: tuple[int | None, ...], axes: tuple[int, ...]
    ) -> tuple[int, ...]:
        """Return the sizes of the axes that the weights run along."""
        sizes = []
        for axis in axes:
            n = input_shape[axis]
            if n is None:
                raise ShapeError(
                    f"The layer {self.name!r} has weights along axis {axis}, whose "
                    f"size must be known, got an input of shape {tuple(input_shape)}."
                )
            sizes.append(n)
        return tuple(sizes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


def some_axes(layer: str, axis: int | Sequence[int]) -> int | list[int]:
    """Return an axis, or several as a list.

    Raises:
        ArgumentError: If there is none.
    """
    found = list(axis) if isinstance(axis, Sequence) else axis
    if found == []:
        raise ArgumentError(f"{layer} needs at least one axis, got axis={axis!r}.")
    return found


def as_axes(
    layer: str, axis: Any, input_shape: tuple[int | None, ...]
) -> tuple[int, ...]:
    """Return an axis or several as numbers from 0, in order.

    Raises:
        ShapeError: If the inputs lack one.
    """
    rank = len(input_shape)
    given = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    for a in given:
        if not -rank <= a < rank:
            raise ShapeError(
                f"{layer} has axis={axis!r}, but got an input of shape "
                f"{tuple(input_shape)} with {rank} axes."
            )
    return tuple(sorted({a % rank for a in given}))


def wide(x: Tensor) -> Tensor:
    """Return `x` in a dtype whose sums of squares neither overflow nor vanish."""
    small = ops.dtype(x) in ("float16", "bfloat16")
    return ops.cast(x, "float32") if small else x
