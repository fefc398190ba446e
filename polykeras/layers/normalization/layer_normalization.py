"""`LayerNormalization`: mean 0 and variance 1 within each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.normalization._scaling import ScaledLayer, as_axes, some_axes
from polykeras.registry import public

__all__ = ["LayerNormalization"]


@public
class LayerNormalization(ScaledLayer):
    """Give each sample mean 0 and variance 1 over its features, then scale and shift.

    Args:
        axis: The axis of the features, or several.
        epsilon: Added to the variance.
        center: Whether the offset `beta` is learned.
        scale: Whether the factor `gamma` is learned.
        beta_initializer: Makes the offsets, of the sizes of `axis`.
        gamma_initializer: Makes the factors, of the sizes of `axis`.
        beta_regularizer: Adds to the loss.
        gamma_regularizer: Adds to the loss.
        beta_constraint: Applied after updates.
        gamma_constraint: Applied after updates.
        kwargs: See `Layer`.

    Reference: Ba, Kiros and Hinton, 2016, "Layer Normalization".

    >>> import polykeras as keras
    >>> layer = keras.layers.LayerNormalization(epsilon=0.0)
    >>> layer(keras.ops.array([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    _keras_only: ClassVar[Mapping[str, Any]] = {"rms_scaling": False}

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.axis = some_axes("LayerNormalization", axis)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make scale and offset for the sizes of the axes."""
        self._axes = as_axes(type(self).__name__, self.axis, input_shape)
        self._add_scale_and_offset(self._known_sizes(input_shape, self._axes))

    def call(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        return ops.layer_normalization(
            inputs, self.gamma, self.beta, axis=self._axes, epsilon=self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}
