"""`RandomZoom`: look closer, or from further away."""

from __future__ import annotations

from typing import Any

from polykeras.backend import Tensor
from polykeras.layers.preprocessing._images import SampledImageLayer, as_range
from polykeras.registry import public

__all__ = ["RandomZoom"]


@public
class RandomZoom(SampledImageLayer):
    """Zoom images about their middle by random amounts in training.

    Args:
        height_factor: Least and greatest share that is added to the height seen:
            positive zooms out, negative in. One number f means from -f to f.
        width_factor: Likewise for the width; None keeps proportions.
        fill_mode: What lies outside of an image: ``"reflect"``, ``"wrap"``,
            ``"constant"`` or ``"nearest"``.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: An integer, for the same draws in every run.
        fill_value: The value outside for ``"constant"``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(3.0), (1, 1, 3, 1))
    >>> closer = keras.layers.RandomZoom((-0.5, -0.5))
    >>> closer(x)[0, 0, :, 0].tolist()
    [0.5, 1.0, 1.5]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
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
        self.height_factor = as_range("RandomZoom", "height_factor", height_factor)
        self.width_factor = (
            None
            if width_factor is None
            else as_range("RandomZoom", "width_factor", width_factor)
        )

    def transforms(self, images: Tensor) -> list[Any]:
        """Return the scaling of each image."""
        height, width = self._size(images)
        zoom_y = self._draw(images, self.height_factor) + 1.0
        zoom_x = zoom_y
        if self.width_factor is not None:
            zoom_x = self._draw(images, self.width_factor) + 1.0
        shift_x = (1.0 - zoom_x) * ((width - 1) / 2.0)
        shift_y = (1.0 - zoom_y) * ((height - 1) / 2.0)
        return [zoom_x, 0.0, shift_x, 0.0, zoom_y, shift_y]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        width = None if self.width_factor is None else list(self.width_factor)
        return {
            **super().get_config(),
            "height_factor": list(self.height_factor),
            "width_factor": width,
        }
