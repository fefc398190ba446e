"""`AdaptiveAveragePooling1D` and its kin: as many windows as the result needs."""

from __future__ import annotations

from typing import ClassVar

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.pooling._adaptive_pooling import AdaptivePooling
from polykeras.registry import public

__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
]


class _AdaptiveAveragePooling(AdaptivePooling):
    """Take the mean of each of a given number of windows."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, *output_size, C)``, or channels first."""
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


@public
class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """Take the mean of windows of signals, whose number is given.

    Args:
        output_size: Size of the result, one int or one per spatial axis; None keeps
            the size.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.AdaptiveAveragePooling1D(2)(keras.ops.ones((2, 5, 3))).shape
    (2, 2, 3)
    """

    _rank: ClassVar[int] = 1


@public
class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """Take the mean of windows of images, whose number is given.

    Args:
        output_size: Size of the result, one int or one per spatial axis; None keeps
            the size.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.AdaptiveAveragePooling2D(2)(keras.ops.ones((2, 5, 4, 3))).shape
    (2, 2, 2, 3)
    """

    _rank: ClassVar[int] = 2


@public
class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """Take the mean of windows of volumes, whose number is given.

    Args:
        output_size: Size of the result, one int or one per spatial axis; None keeps
            the size.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.AdaptiveAveragePooling3D(2)(keras.ops.ones((2, 5, 4, 4, 3))).shape
    (2, 2, 2, 2, 3)
    """

    _rank: ClassVar[int] = 3
