"""`Cropping1D`, `Cropping2D`, `Cropping3D`: the inputs without their borders."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import config, ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.layers._input_spec import InputSpec
from polykeras.layers._sizes import pairs_per_axis
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Cropping1D", "Cropping2D", "Cropping3D"]


class _Cropping(Layer):
    """Remove cells from both ends of each spatial axis."""

    _rank: ClassVar[int]

    def __init__(
        self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        self._pairs = pairs_per_axis(
            type(self).__name__, "cropping", cropping, self._rank
        )
        self.cropping = self._pairs if self._rank > 1 else self._pairs[0]
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs with shorter spatial axes."""
        first = 2 if self.data_format == "channels_first" else 1
        sizes = inputs.shape[first : first + self._rank]
        kept = [slice(None)] * first
        for n, (low, high) in zip(sizes, self._pairs, strict=True):
            if low + high >= n:
                raise ShapeError(
                    f"The layer {self.name!r} would crop everything: cropping is "
                    f"{self.cropping}, but the input has shape {tuple(inputs.shape)}."
                )
            kept.append(slice(low, n - high))
        return ops.get_item(inputs, tuple(kept))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "cropping": self.cropping,
            "data_format": self.data_format,
        }


@public
class Cropping1D(_Cropping):
    """Remove steps from both ends of signals ``(B, T, C)``.

    Args:
        cropping: How many at both ends, or ``(before, after)``.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `cropping` is negative or of another form.

    >>> import polykeras as keras
    >>> keras.layers.Cropping1D((1, 2))(keras.ops.ones((2, 5, 3))).shape
    (2, 2, 3)
    """

    _rank: ClassVar[int] = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        """Check and remember the configuration."""
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        found = super().get_config()
        del found["data_format"]
        return found


@public
class Cropping2D(_Cropping):
    """Remove the borders of images ``(B, H, W, C)``.

    Args:
        cropping: How many at every side, ``(height, width)``, or
            ``((top, bottom), (left, right))``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `cropping` is negative or of another form.

    >>> import polykeras as keras
    >>> keras.layers.Cropping2D(((1, 0), (2, 2)))(keras.ops.ones((1, 4, 5, 3))).shape
    (1, 3, 1, 3)
    """

    _rank: ClassVar[int] = 2

    def __init__(
        self,
        cropping: Any = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(cropping, data_format, **kwargs)


@public
class Cropping3D(_Cropping):
    """Remove the borders of volumes ``(B, D, H, W, C)``.

    Args:
        cropping: How many at every side, one int per axis, or one pair per axis.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `cropping` is negative or of another form.

    >>> import polykeras as keras
    >>> keras.layers.Cropping3D()(keras.ops.ones((1, 3, 4, 5, 2))).shape
    (1, 1, 2, 3, 2)
    """

    _rank: ClassVar[int] = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(cropping, data_format, **kwargs)
