"""`ZeroPadding1D`, `ZeroPadding2D`, `ZeroPadding3D`: zeros around the inputs."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import config, ops
from polykeras.backend import Tensor
from polykeras.layers._input_spec import InputSpec
from polykeras.layers._sizes import pairs_per_axis
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"]


class _ZeroPadding(Layer):
    """Add zeros before and after each spatial axis."""

    _rank: ClassVar[int]

    def __init__(
        self, padding: Any = 1, data_format: str | None = None, **kwargs: Any
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        self._pairs = pairs_per_axis(
            type(self).__name__, "padding", padding, self._rank
        )
        self.padding = self._pairs if self._rank > 1 else self._pairs[0]
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs with longer spatial axes."""
        none = (0, 0)
        if self.data_format == "channels_first":
            return ops.pad(inputs, (none, none, *self._pairs))
        return ops.pad(inputs, (none, *self._pairs, none))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "padding": self.padding,
            "data_format": self.data_format,
        }


@public
class ZeroPadding1D(_ZeroPadding):
    """Add zeros before and after signals ``(B, T, C)``.

    Args:
        padding: How many at both ends, or ``(before, after)``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `padding` is negative or of another form.

    >>> import polykeras as keras
    >>> keras.layers.ZeroPadding1D((1, 2))(keras.ops.ones((2, 5, 3))).shape
    (2, 8, 3)
    """

    _rank: ClassVar[int] = 1


@public
class ZeroPadding2D(_ZeroPadding):
    """Add zeros around images ``(B, H, W, C)``.

    Args:
        padding: How many at every side, ``(height, width)``, or
            ``((top, bottom), (left, right))``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `padding` is negative or of another form.

    >>> import polykeras as keras
    >>> keras.layers.ZeroPadding2D(((1, 0), (2, 2)))(keras.ops.ones((1, 4, 4, 3))).shape
    (1, 5, 8, 3)
    """

    _rank: ClassVar[int] = 2


@public
class ZeroPadding3D(_ZeroPadding):
    """Add zeros around volumes ``(B, D, H, W, C)``.

    Args:
        padding: How many at every side, one int per axis, or one pair per axis.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `padding` is negative or of another form.

    >>> import polykeras as keras
    >>> keras.layers.ZeroPadding3D(1)(keras.ops.ones((1, 2, 3, 4, 5))).shape
    (1, 4, 5, 6, 5)
    """

    _rank: ClassVar[int] = 3
