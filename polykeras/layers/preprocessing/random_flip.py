"""`RandomFlip`: mirror images."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers._sizes import one_of
from polykeras.layers.preprocessing._images import RandomImageLayer
from polykeras.registry import public

__all__ = ["RandomFlip"]

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


@public
class RandomFlip(RandomImageLayer):
    """Mirror every other image in training, chosen at random.

    Args:
        mode: ``"horizontal"`` swaps left and right, ``"vertical"`` top and bottom,
            ``"horizontal_and_vertical"`` does each for every other image.
        seed: An integer, for the same draws in every run.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(6.0), (3, 1, 2, 1))
    >>> layer = keras.layers.RandomFlip("horizontal", seed=0)
    >>> layer(x)[:, 0, :, 0].tolist()
    [[0.0, 1.0], [2.0, 3.0], [5.0, 4.0]]
    >>> layer(x, training=False)[:, 0, :, 0].tolist()
    [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(seed, data_format, **kwargs)
        self.mode = one_of("RandomFlip", "mode", mode, _MODES)

    def change(self, images: Tensor) -> Tensor:
        """Return the images, some mirrored."""
        for word, axis in (
            ("horizontal", self.width_axis),
            ("vertical", self.height_axis),
        ):
            if word in self.mode:
                chosen = ops.less(self._draw(images, (0.0, 1.0)), 0.5)
                images = ops.where(chosen, ops.flip(images, axis), images)
        return images

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "mode": self.mode}
