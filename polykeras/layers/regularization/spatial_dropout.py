"""`SpatialDropout1D`, `SpatialDropout2D`, `SpatialDropout3D`: whole channels go."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import config
from polykeras.backend import Tensor
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.regularization.dropout import Dropout
from polykeras.registry import public

__all__ = ["SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"]


class _SpatialDropout(Dropout):
    """Set whole channels to 0."""

    _rank: ClassVar[int]

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _mask_shape(self, inputs: Tensor) -> tuple[int | None, ...]:
        places = (1,) * self._rank
        if self.data_format == "channels_first":
            return (None, None, *places)
        return (None, *places, None)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        found = super().get_config()
        for key in ("noise_shape", "trainable"):
            del found[key]
        return {**found, "data_format": self.data_format}


@public
class SpatialDropout1D(_SpatialDropout):
    """Set whole channels of signals ``(B, T, C)`` to 0 in training.

    Args:
        rate: The probability that a channel becomes 0.
        seed: An integer, for the same masks in every run.
        name: A name, unique within a model.
        dtype: A dtype or policy.

    Raises:
        ArgumentError: If `rate` is not from 0 to 1.

    Reference: Tompson et al., 2015, "Efficient Object Localization Using
    Convolutional Networks", section 3.2.

    >>> import polykeras as keras
    >>> layer = keras.layers.SpatialDropout1D(0.5, seed=1)
    >>> layer(keras.ops.ones((2, 3, 4)), training=True).shape
    (2, 3, 4)
    """

    _rank: ClassVar[int] = 1

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(rate, "channels_last", seed, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        found = super().get_config()
        del found["data_format"]
        return found


@public
class SpatialDropout2D(_SpatialDropout):
    """Set whole channels of images ``(B, H, W, C)`` to 0 in training.

    Args:
        rate: The probability that a channel becomes 0.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        seed: An integer, for the same masks in every run.
        name: A name, unique within a model.
        dtype: A dtype or policy.

    Raises:
        ArgumentError: If `rate` is not from 0 to 1.

    >>> import polykeras as keras
    >>> layer = keras.layers.SpatialDropout2D(0.5, seed=1)
    >>> layer(keras.ops.ones((2, 3, 3, 4)), training=True).shape
    (2, 3, 3, 4)
    """

    _rank: ClassVar[int] = 2


@public
class SpatialDropout3D(_SpatialDropout):
    """Set whole channels of volumes ``(B, D, H, W, C)`` to 0 in training.

    Args:
        rate: The probability that a channel becomes 0.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        seed: An integer, for the same masks in every run.
        name: A name, unique within a model.
        dtype: A dtype or policy.

    Raises:
        ArgumentError: If `rate` is not from 0 to 1.

    >>> import polykeras as keras
    >>> layer = keras.layers.SpatialDropout3D(0.5, seed=1)
    >>> layer(keras.ops.ones((2, 3, 3, 3, 4)), training=True).shape
    (2, 3, 3, 3, 4)
    """

    _rank: ClassVar[int] = 3
