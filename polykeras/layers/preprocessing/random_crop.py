"""`RandomCrop`: a window of images at a random place."""

from __future__ import annotations

from typing import Any

from polykeras import ops, random
from polykeras.backend import Tensor
from polykeras.layers._sizes import positive
from polykeras.layers.preprocessing._images import RandomImageLayer
from polykeras.registry import public

__all__ = ["RandomCrop"]


@public
class RandomCrop(RandomImageLayer):
    """Cut a window out of images, in training at a random place, one for a batch.

    Outside of training, and where an image is smaller than the window, the largest
    window of the right shape is resized instead.

    Args:
        height: Rows of the result.
        width: Columns of the result.
        seed: An integer, for the same draws in every run.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        name: A name.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.RandomCrop(2, 3)(keras.ops.ones((5, 8, 8, 1))).shape
    (5, 2, 3, 1)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(seed, data_format, name=name, **kwargs)
        self.height = positive("RandomCrop", "height", height)
        self.width = positive("RandomCrop", "width", width)

    def change(self, images: Tensor) -> Tensor:
        """Return a window of the images."""
        height, width = self._size(images)
        if height < self.height or width < self.width:
            return self.leave(images)
        rank = len(images.shape)
        shape = list(images.shape)
        starts: list[Any] = [0] * rank
        for axis, size, wanted in (
            (self.height_axis, height, self.height),
            (self.width_axis, width, self.width),
        ):
            shape[axis] = wanted
            starts[axis] = random.randint(
                (), 0, size - wanted + 1, seed=self.seed_generator
            )
        return ops.slice(
            images, ops.stack([ops.cast(s, "int32") for s in starts]), shape
        )

    def leave(self, images: Tensor) -> Tensor:
        """Return the largest window in the middle, resized."""
        return self._resized(images)

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
