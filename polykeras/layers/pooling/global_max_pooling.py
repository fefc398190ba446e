"""`GlobalMaxPooling1D` and its kin: the largest value of each channel."""

from __future__ import annotations

from typing import ClassVar

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.pooling._global_pooling import GlobalPooling
from polykeras.registry import public

__all__ = ["GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D"]


class _GlobalMaxPooling(GlobalPooling):
    """Take the largest value of each channel."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, C)``, or all axes with `keepdims`."""
        return ops.max(inputs, axis=self._spatial_axes, keepdims=self.keepdims)


@public
class GlobalMaxPooling1D(_GlobalMaxPooling):
    """Take the largest value of each channel of signals ``(B, T, C)``.

    Args:
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        keepdims: Whether spatial axes stay, of size 1.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.GlobalMaxPooling1D()(keras.ops.ones((2, 5, 3))).shape
    (2, 3)
    """

    _rank: ClassVar[int] = 1


@public
class GlobalMaxPooling2D(_GlobalMaxPooling):
    """Take the largest value of each channel of images ``(B, H, W, C)``.

    Args:
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        keepdims: Whether spatial axes stay, of size 1.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.GlobalMaxPooling2D()(keras.ops.ones((2, 5, 4, 3))).shape
    (2, 3)
    """

    _rank: ClassVar[int] = 2


@public
class GlobalMaxPooling3D(_GlobalMaxPooling):
    """Take the largest value of each channel of volumes ``(B, D, H, W, C)``.

    Args:
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        keepdims: Whether spatial axes stay, of size 1.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.GlobalMaxPooling3D()(keras.ops.ones((2, 5, 4, 4, 3))).shape
    (2, 3)
    """

    _rank: ClassVar[int] = 3
