"""`CenterCrop`: the middle of images."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers._sizes import positive
from polykeras.layers.preprocessing._images import ImageLayer
from polykeras.registry import public

__all__ = ["CenterCrop"]


@public
class CenterCrop(ImageLayer):
    """Cut the middle out of images, in training and inference alike.

    Where an image is smaller than the window, it is resized so that the largest
    window of the right shape fills the result.

    Args:
        height: Rows of the result.
        width: Columns of the result.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(16), (1, 4, 4, 1))
    >>> keras.layers.CenterCrop(2, 2)(x)[0, :, :, 0].tolist()
    [[5.0, 6.0], [9.0, 10.0]]
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(data_format, **kwargs)
        self.height = positive("CenterCrop", "height", height)
        self.width = positive("CenterCrop", "width", width)

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(..., height, width, C)``, or channels first."""
        images = self._checked(inputs)
        height, width = self._size(images)
        if height < self.height or width < self.width:
            return self._resized(images)
        where: list[Any] = [slice(None)] * len(images.shape)
        for axis, size, wanted in (
            (self.height_axis, height, self.height),
            (self.width_axis, width, self.width),
        ):
            start = (size - wanted) // 2
            where[axis] = slice(start, start + wanted)
        return images[tuple(where)]

    def _resized(self, images: Tensor) -> Tensor:
        return ops.image.resize(
            images,
            (self.height, self.width),
            crop_to_aspect_ratio=True,
            data_format=self.data_format,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "height": self.height, "width": self.width}
