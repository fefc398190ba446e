"""`TimeDistributed`: one layer for every step of a sequence."""

from __future__ import annotations

from typing import Any

from polykeras import ops, tree
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.layers.core.wrapper import Wrapper
from polykeras.registry import public

__all__ = ["TimeDistributed"]

_LEAST_AXES = 3
_MASK_AXES = 2


@public
class TimeDistributed(Wrapper):
    """Apply a layer to each step, all with the same weights.

    Batch and time are one axis for the layer inside, so it is called once, and its
    statistics, if it takes any, are of all steps together.

    Args:
        layer: A layer for the inputs of one step.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `layer` is no layer.

    >>> import polykeras as keras
    >>> layer = keras.layers.TimeDistributed(keras.layers.Dense(4))
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        """Remember the layer."""
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside for one step.

        Raises:
            ShapeError: If there are fewer than three axes.
        """
        if input_shape is None or len(input_shape) < _LEAST_AXES:
            raise ShapeError(
                "TimeDistributed expects inputs of shape (batch, time, features, ...), "
                f"got shape {input_shape}."
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Any = None
    ) -> Any:
        """Apply the layer.

        Args:
            inputs: ``(batch, time, ...)``.
            training: Passed on if the layer takes it.
            mask: ``(batch, time, ...)``, or None; passed on if the layer takes it.

        Returns:
            ``(batch, time, ...)``.

        Raises:
            ShapeError: If the mask does not fit.
        """
        batch, steps = inputs.shape[:2]
        kwargs: dict[str, Any] = {}
        if mask is not None:
            if tuple(mask.shape[:2]) != (batch, steps) or len(mask.shape) < _MASK_AXES:
                raise ShapeError(
                    f"TimeDistributed got inputs of shape {tuple(inputs.shape)}, which "
                    f"need a mask that begins with ({batch}, {steps}), got shape "
                    f"{tuple(mask.shape)}."
                )
            if self.layer._signature.has_mask:
                kwargs["mask"] = _merged(mask)
        if self.layer._signature.has_training:
            kwargs["training"] = training
        outputs = self.layer(_merged(inputs), **kwargs)
        return tree.map_leaves(
            lambda y: ops.reshape(y, (batch, steps, *y.shape[1:])), outputs
        )


def _merged(x: Tensor) -> Tensor:
    """Make batch and time one axis."""
    return ops.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))
