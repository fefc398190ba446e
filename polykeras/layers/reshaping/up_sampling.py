"""`UpSampling1D`, `UpSampling2D`, `UpSampling3D`: longer spatial axes."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import config, ops
from polykeras.backend import Tensor
from polykeras.layers._input_spec import InputSpec
from polykeras.layers._sizes import one_of, per_axis
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]


class _UpSampling(Layer):
    """Repeat each cell along the spatial axes."""

    _rank: ClassVar[int]

    def __init__(
        self, size: Any = 2, data_format: str | None = None, **kwargs: Any
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        self._factors = per_axis(type(self).__name__, "size", size, self._rank)
        self.size: Any = self._factors
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    @property
    def _first_axis(self) -> int:
        return 2 if self.data_format == "channels_first" else 1

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs with each cell repeated."""
        for axis, factor in enumerate(self._factors, self._first_axis):
            if factor > 1:
                inputs = ops.repeat(inputs, factor, axis=axis)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "size": self.size,
            "data_format": self.data_format,
        }


@public
class UpSampling1D(_UpSampling):
    """Repeat each step of signals ``(B, T, C)``.

    Args:
        size: How often.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `size` is not positive.

    >>> import polykeras as keras
    >>> keras.layers.UpSampling1D(2)(keras.ops.ones((2, 5, 3))).shape
    (2, 10, 3)
    """

    _rank: ClassVar[int] = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        """Check and remember the configuration."""
        super().__init__(size, "channels_last", **kwargs)
        self.size = self._factors[0]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        found = super().get_config()
        del found["data_format"]
        return found


@public
class UpSampling2D(_UpSampling):
    """Enlarge images ``(B, H, W, C)`` by whole factors.

    Args:
        size: Factors for height and width; one int stands for both.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        interpolation: ``"nearest"`` repeats cells; ``"bilinear"``, ``"bicubic"``,
            ``"lanczos3"`` and ``"lanczos5"`` interpolate.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is not an allowed value.

    >>> import polykeras as keras
    >>> keras.layers.UpSampling2D((1, 2))(keras.ops.ones((1, 4, 4, 3))).shape
    (1, 4, 8, 3)
    """

    _rank: ClassVar[int] = 2
    _interpolations: ClassVar[tuple[str, ...]] = (
        "bicubic",
        "bilinear",
        "lanczos3",
        "lanczos5",
        "nearest",
    )

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(size, data_format, **kwargs)
        self.interpolation = one_of(
            "UpSampling2D", "interpolation", interpolation, self._interpolations
        )

    def call(self, inputs: Tensor) -> Tensor:
        """Return larger images."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        first = self._first_axis
        sizes = inputs.shape[first : first + 2]
        return ops.image.resize(
            inputs,
            tuple(n * s for n, s in zip(sizes, self._factors, strict=True)),
            interpolation=self.interpolation,
            data_format=self.data_format,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "interpolation": self.interpolation}


@public
class UpSampling3D(_UpSampling):
    """Repeat each cell of volumes ``(B, D, H, W, C)``.

    Args:
        size: Factors for the three axes; one int stands for all.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `size` is not positive.

    >>> import polykeras as keras
    >>> keras.layers.UpSampling3D()(keras.ops.ones((1, 2, 3, 4, 2))).shape
    (1, 4, 6, 8, 2)
    """

    _rank: ClassVar[int] = 3

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(size, data_format, **kwargs)
