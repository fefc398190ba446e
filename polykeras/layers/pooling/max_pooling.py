"""`MaxPooling1D`, `MaxPooling2D`, `MaxPooling3D`: the largest value of a window."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.pooling._window_pooling import WindowPooling
from polykeras.registry import public

__all__ = ["MaxPooling1D", "MaxPooling2D", "MaxPooling3D"]


class _MaxPooling(WindowPooling):
    """Take the largest value in each window."""

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, *windows, C)``, or channels first."""
        return ops.max_pool(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )


@public
class MaxPooling1D(_MaxPooling):
    """Take the largest value in each window of signals ``(B, T, C)``.

    Args:
        pool_size: Size of the window.
        strides: Step of the window; None means `pool_size`.
        padding: ``"valid"``, or ``"same"`` for ``ceil(T / stride)`` windows.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        name: A name, unique within a model.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> x = keras.ops.array([[[1.0], [2.0], [5.0], [4.0]]])
    >>> keras.layers.MaxPooling1D(2)(x).tolist()
    [[[2.0], [5.0]]]
    """

    _rank: ClassVar[int] = 1


@public
class MaxPooling2D(_MaxPooling):
    """Take the largest value in each window of images ``(B, H, W, C)``.

    Args:
        pool_size: Height and width of the window; one int stands for both.
        strides: Steps of the window; None means `pool_size`.
        padding: ``"valid"``, or ``"same"`` for ``ceil(size / stride)`` windows.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        name: A name, unique within a model.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.MaxPooling2D()(keras.ops.ones((1, 5, 4, 3))).shape
    (1, 2, 2, 3)
    """

    _rank: ClassVar[int] = 2


@public
class MaxPooling3D(_MaxPooling):
    """Take the largest value in each window of volumes ``(B, D, H, W, C)``.

    Args:
        pool_size: Sizes of the window; one int stands for all three.
        strides: Steps of the window; None means `pool_size`.
        padding: ``"valid"``, or ``"same"`` for ``ceil(size / stride)`` windows.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        name: A name, unique within a model.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.MaxPooling3D()(keras.ops.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    _rank: ClassVar[int] = 3
