"""`GlobalAveragePooling1D` and its kin: the mean of each channel."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.pooling._global_pooling import GlobalPooling
from polykeras.registry import public

__all__ = [
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
]


class _GlobalAveragePooling(GlobalPooling):
    """Take the mean of each channel."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, C)``, or all axes with `keepdims`."""
        return ops.mean(inputs, axis=self._spatial_axes, keepdims=self.keepdims)


@public
class GlobalAveragePooling1D(_GlobalAveragePooling):
    """Take the mean of each channel of signals ``(B, T, C)``.

    Steps that a mask excludes do not count.

    Args:
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        keepdims: Whether spatial axes stay, of size 1.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.GlobalAveragePooling1D()(keras.ops.ones((2, 5, 3))).shape
    (2, 3)
    """

    _rank: ClassVar[int] = 1

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return means.

        Args:
            inputs: ``(B, T, C)``, or ``(B, C, T)`` for ``"channels_first"``.
            mask: Boolean ``(B, T)``: which steps count. Where none does, the mean
                is 0.

        Returns:
            ``(B, C)``, or all axes with `keepdims`.
        """
        if mask is None:
            return super().call(inputs)
        axis = self._spatial_axes[0]
        counts = ops.expand_dims(ops.cast(mask, ops.dtype(inputs)), 3 - axis)
        total = ops.sum(ops.multiply(inputs, counts), axis=axis, keepdims=self.keepdims)
        number = ops.sum(counts, axis=axis, keepdims=self.keepdims)
        return ops.divide(total, ops.maximum(number, 1))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: no steps are left to mask."""


@public
class GlobalAveragePooling2D(_GlobalAveragePooling):
    """Take the mean of each channel of images ``(B, H, W, C)``.

    Args:
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        keepdims: Whether spatial axes stay, of size 1.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.GlobalAveragePooling2D()(keras.ops.ones((2, 5, 4, 3))).shape
    (2, 3)
    """

    _rank: ClassVar[int] = 2


@public
class GlobalAveragePooling3D(_GlobalAveragePooling):
    """Take the mean of each channel of volumes ``(B, D, H, W, C)``.

    Args:
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        keepdims: Whether spatial axes stay, of size 1.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.GlobalAveragePooling3D()(keras.ops.ones((2, 5, 4, 4, 3))).shape
    (2, 3)
    """

    _rank: ClassVar[int] = 3
