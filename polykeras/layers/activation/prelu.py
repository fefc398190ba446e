"""`PReLU`: a slope below zero that is learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polykeras import constraints, initializers, ops, regularizers
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["PReLU"]


@public
class PReLU(Layer):
    """Return ``x`` above 0 and ``alpha * x`` below, with one `alpha` a feature.

    Args:
        alpha_initializer: Makes the slopes, of the shape of a sample.
        alpha_regularizer: Adds to the loss.
        alpha_constraint: Applied after updates.
        shared_axes: Axes (from 1) along which the slopes are the same.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `shared_axes` names the batch axis.

    Reference: He et al., 2015, "Delving Deep into Rectifiers", equation 1.

    >>> import polykeras as keras
    >>> layer = keras.layers.PReLU(alpha_initializer="ones")
    >>> layer(keras.ops.array([[-2.0, 3.0]])).tolist()
    [[-2.0, 3.0]]
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes is None or isinstance(shared_axes, list | tuple):
            self.shared_axes = None if shared_axes is None else list(shared_axes)
        else:
            self.shared_axes = [shared_axes]
        if 0 in (self.shared_axes or []):
            raise ArgumentError(
                f"PReLU cannot share slopes along the batch axis, got {shared_axes!r}. "
                "Axes count from 1."
            )
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the slopes for one sample, of size 1 along shared axes."""
        rank = len(input_shape)
        shared = {axis % rank for axis in self.shared_axes or []}
        sizes = [1 if i in shared else n for i, n in enumerate(input_shape)][1:]
        self.alpha = self.add_weight(
            name="alpha",
            shape=tuple(sizes),
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        fixed = {i: n for i, n in enumerate(input_shape) if i and i not in shared}
        self.input_spec = InputSpec(ndim=rank, axes=fixed)

    def call(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        return ops.where(
            ops.greater(inputs, 0), inputs, ops.multiply(self.alpha, inputs)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
