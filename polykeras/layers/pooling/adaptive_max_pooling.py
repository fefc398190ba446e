"""`AdaptiveMaxPooling1D` and its kin: as many windows as the result needs."""

from __future__ import annotations

from typing import ClassVar

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.pooling._adaptive_pooling import AdaptivePooling
from polykeras.registry import public

__all__ = [
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
]


class _AdaptiveMaxPooling(AdaptivePooling):
    """Take the largest value of each of a given number of windows."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, *output_size, C)``, or channels first."""
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


@public
class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """Take the largest value of windows of signals, whose number is given.

    Args:
        output_size: Size of the result, one int or one per spatial axis; None keeps
            the size.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.AdaptiveMaxPooling1D(2)(keras.ops.ones((2, 5, 3))).shape
    (2, 2, 3)
    """

    _rank: ClassVar[int] = 1


@public
class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """Take the largest value of windows of images, whose number is given.

    Args:
        output_size: Size of the result, one int or one per spatial axis; None keeps
            the size.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.AdaptiveMaxPooling2D(2)(keras.ops.ones((2, 5, 4, 3))).shape
    (2, 2, 2, 3)
    """

    _rank: ClassVar[int] = 2


@public
class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """Take the largest value of windows of volumes, whose number is given.

    Args:
        output_size: Size of the result, one int or one per spatial axis; None keeps
            the size.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.AdaptiveMaxPooling3D(2)(keras.ops.ones((2, 5, 4, 4, 3))).shape
    (2, 2, 2, 2, 3)
    """

    _rank: ClassVar[int] = 3
