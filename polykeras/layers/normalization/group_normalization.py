"""`GroupNormalization`: mean 0 and variance 1 within groups of channels."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.normalization._scaling import ScaledLayer, as_axes, wide
from polykeras.registry import public

__all__ = ["GroupNormalization"]


@public
class GroupNormalization(ScaledLayer):
    """Normalise each sample over groups of channels and all places.

    One group is `LayerNormalization` over all but the batch; as many groups as
    channels are instance normalisation.

    Args:
        groups: Number of groups; -1 means one for each channel.
        axis: The axis of the channels.
        epsilon: Added to the variance.
        center: Whether the offset `beta` is learned.
        scale: Whether the factor `gamma` is learned.
        beta_initializer: Makes the offsets, one a channel.
        gamma_initializer: Makes the factors, one a channel.
        beta_regularizer: Adds to the loss.
        gamma_regularizer: Adds to the loss.
        beta_constraint: Applied after updates.
        gamma_constraint: Applied after updates.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `groups` is neither positive nor -1.
        ShapeError: When built, if `groups` does not divide the channels.

    Reference: Wu and He, 2018, "Group Normalization".

    >>> import polykeras as keras
    >>> layer = keras.layers.GroupNormalization(groups=2, epsilon=0.0)
    >>> layer(keras.ops.array([[1.0, 3.0, 10.0, 20.0]])).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        groups: Any = 32,
        axis: int = -1,
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
        """Check and remember the configuration."""
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
        if not isinstance(groups, int) or (groups < 1 and groups != -1):
            raise ArgumentError(
                f"GroupNormalization needs a positive number of groups or -1, got "
                f"{groups!r}."
            )
        self.groups: int = groups
        self.axis = axis

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make scale and offset, one value a channel."""
        (axis,) = as_axes(type(self).__name__, self.axis, input_shape)
        shape = self._known_sizes(input_shape, (axis,))
        if self.groups == -1:
            self.groups = shape[0]
        if shape[0] % self.groups:
            raise ShapeError(
                f"The layer {self.name!r} has {self.groups} groups, which do not divide"
                f" the {shape[0]} channels of inputs of shape {tuple(input_shape)}."
            )
        self._add_scale_and_offset(shape)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: shape[0]})

    def call(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        sizes = tuple(inputs.shape)
        axis = self.axis % len(sizes)
        channels = sizes[axis]
        split = (
            *sizes[:axis],
            self.groups,
            channels // self.groups,
            *sizes[axis + 1 :],
        )
        x = ops.reshape(wide(inputs), split)
        within = tuple(i for i in range(1, len(split)) if i != axis)
        x = ops.layer_normalization(x, axis=within, epsilon=self.epsilon)
        x = ops.reshape(x, sizes)
        along = [1] * len(sizes)
        along[axis] = channels
        if self.gamma is not None:
            gamma = ops.cast(ops.reshape(self.gamma, along), ops.dtype(x))
            x = ops.multiply(x, gamma)
        if self.beta is not None:
            x = ops.add(x, ops.cast(ops.reshape(self.beta, along), ops.dtype(x)))
        return ops.cast(x, ops.dtype(inputs))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "groups": self.groups, "axis": self.axis}
