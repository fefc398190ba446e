"""`RandomTranslation`: shift images."""

from __future__ import annotations

from typing import Any

from polykeras.backend import Tensor
from polykeras.layers.preprocessing._images import SampledImageLayer, as_range
from polykeras.registry import public

__all__ = ["RandomTranslation"]


@public
class RandomTranslation(SampledImageLayer):
    """Shift images by random distances in training.

    Args:
        height_factor: Least and greatest shift as shares of the height, downwards; one
            number f means from -f to f.
        width_factor: Likewise for the width, to the right.
        fill_mode: What lies outside of an image: ``"reflect"``, ``"wrap"``,
            ``"constant"`` or ``"nearest"``.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: An integer, for the same draws in every run.
        fill_value: The value outside for ``"constant"``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 1, 4, 1))
    >>> layer = keras.layers.RandomTranslation(0.0, (0.25, 0.25), "constant")
    >>> layer(x)[0, 0, :, 0].tolist()
    [0.0, 0.0, 1.0, 2.0]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(
            fill_mode,
            interpolation,
            fill_value,
            seed=seed,
            data_format=data_format,
            **kwargs,
        )
        self.height_factor = as_range(
            "RandomTranslation", "height_factor", height_factor
        )
        self.width_factor = as_range("RandomTranslation", "width_factor", width_factor)

    def transforms(self, images: Tensor) -> list[Any]:
        """Return the shift of each image."""
        height, width = self._size(images)
        down = self._draw(images, self.height_factor) * float(height)
        right = self._draw(images, self.width_factor) * float(width)
        return [1.0, 0.0, -right, 0.0, 1.0, -down]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "height_factor": list(self.height_factor),
            "width_factor": list(self.width_factor),
        }
