"""`AveragePooling1D`, `AveragePooling2D`, `AveragePooling3D`: means of windows."""

from __future__ import annotations

from typing import ClassVar

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.pooling._window_pooling import WindowPooling
from polykeras.registry import public

__all__ = ["AveragePooling1D", "AveragePooling2D", "AveragePooling3D"]


class _AveragePooling(WindowPooling):
    """Take the mean of each window over the cells that exist."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, *windows, C)``, or channels first."""
        return ops.average_pool(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )


@public
class AveragePooling1D(_AveragePooling):
    """Take the mean of each window of signals ``(B, T, C)``.

    Args:
        pool_size: Size of the window.
        strides: Step of the window; None means `pool_size`.
        padding: ``"valid"``, or ``"same"``, whose padding does not count.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        name: A name, unique within a model.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> x = keras.ops.array([[[1.0], [2.0], [5.0], [4.0]]])
    >>> keras.layers.AveragePooling1D(2)(x).tolist()
    [[[1.5], [4.5]]]
    """

    _rank: ClassVar[int] = 1


@public
class AveragePooling2D(_AveragePooling):
    """Take the mean of each window of images ``(B, H, W, C)``.

    Args:
        pool_size: Height and width of the window; one int stands for both.
        strides: Steps of the window; None means `pool_size`.
        padding: ``"valid"``, or ``"same"``, whose padding does not count.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        name: A name, unique within a model.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.AveragePooling2D(2)(keras.ops.ones((1, 5, 4, 3))).shape
    (1, 2, 2, 3)
    """

    _rank: ClassVar[int] = 2


@public
class AveragePooling3D(_AveragePooling):
    """Take the mean of each window of volumes ``(B, D, H, W, C)``.

    Args:
        pool_size: Sizes of the window; one int stands for all three.
        strides: Steps of the window; None means `pool_size`.
        padding: ``"valid"``, or ``"same"``, whose padding does not count.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        name: A name, unique within a model.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.AveragePooling3D(2)(keras.ops.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    _rank: ClassVar[int] = 3
