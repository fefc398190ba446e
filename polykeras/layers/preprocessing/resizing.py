"""`Resizing`: images of another size."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers._sizes import one_of, positive
from polykeras.layers.preprocessing._images import ImageLayer
from polykeras.registry import public

__all__ = ["Resizing"]

_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


@public
class Resizing(ImageLayer):
    """Resize images, in training and inference alike; integers stay integers.

    Args:
        height: Rows of the result.
        width: Columns of the result.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"lanczos3"`` or
            ``"lanczos5"``.
        crop_to_aspect_ratio: Whether what would be distorted is cut off first.
        pad_to_aspect_ratio: Whether a border is added instead.
        fill_mode: How the border is filled: ``"constant"``.
        fill_value: The value of the border.
        antialias: Whether making images smaller averages.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> keras.layers.Resizing(2, 3)(keras.ops.ones((1, 8, 8, 3))).shape
    (1, 2, 3, 3)
    """

    _keeps_integers: ClassVar[bool] = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(data_format, **kwargs)
        self.height = positive("Resizing", "height", height)
        self.width = positive("Resizing", "width", width)
        self.interpolation = one_of(
            "Resizing", "interpolation", interpolation, _INTERPOLATIONS
        )
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = one_of("Resizing", "fill_mode", fill_mode, ("constant",))
        self.fill_value = fill_value
        self.antialias = antialias

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(..., height, width, C)``, or channels first."""
        return self._on_floats(self._checked(inputs), self._resized)

    def _resized(self, images: Tensor) -> Tensor:
        return ops.image.resize(
            images,
            (self.height, self.width),
            interpolation=self.interpolation,
            antialias=self.antialias,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "antialias": self.antialias,
        }
