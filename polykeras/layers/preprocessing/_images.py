"""What the layers that change images share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from polykeras import config, dtypes, ops, random
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers._sizes import one_of
from polykeras.layers.layer import Layer
from polykeras.random import SeedGenerator

__all__ = [
    "ImageLayer",
    "RandomImageLayer",
    "SampledImageLayer",
    "as_range",
    "value_bounds",
]

_FILL_MODES = ("reflect", "wrap", "constant", "nearest")


def as_range(
    layer: str, name: str, value: Any, low: float = -1.0, high: float = math.inf
) -> tuple[float, float]:
    """Return a factor as the two ends of a range.

    Args:
        layer: The layer's class, for messages.
        name: The argument's name, for messages.
        value: Two numbers, or one that stands for minus and plus itself.
        low: The least value allowed.
        high: The greatest value allowed.

    Raises:
        ArgumentError: If it is neither, out of bounds, or the ends are swapped.
    """
    number = isinstance(value, int | float)
    ends = (-abs(value), abs(value)) if number else value
    pair = isinstance(ends, list | tuple) and len(ends) == 2
    if not pair or not all(isinstance(v, int | float) for v in ends):
        raise ArgumentError(f"{layer} needs {name} as a number or two, got {value!r}.")
    lower, upper = float(ends[0]), float(ends[1])
    if not low <= lower <= upper <= high:
        raise ArgumentError(
            f"{layer} needs {name} from {low:g} to {high:g}, the lower end first, got "
            f"{value!r}."
        )
    return lower, upper


def value_bounds(layer: str, value_range: Any) -> tuple[float, float]:
    """Return the least and greatest value of a pixel.

    Raises:
        ArgumentError: If they are not two numbers in rising order.
    """
    if not isinstance(value_range, list | tuple) or len(value_range) != 2:
        raise ArgumentError(
            f"{layer} needs value_range as two numbers, got {value_range!r}."
        )
    low, high = value_range
    if not low < high:
        raise ArgumentError(
            f"{layer} needs value_range in rising order, got {value_range!r}."
        )
    return float(low), float(high)


class ImageLayer(Layer):
    """A layer of images ``(H, W, C)`` or batches of them, or channels first.

    Integer images keep their dtype where `_keeps_integers` says so, and become floats
    of the compute dtype elsewhere.

    Args:
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.
    """

    _keeps_integers: ClassVar[bool] = False

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        """Remember where the channels are."""
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)

    @property
    def height_axis(self) -> int:
        """The axis of the rows, from behind."""
        return -3 if self.data_format == "channels_last" else -2

    @property
    def width_axis(self) -> int:
        """The axis of the columns, from behind."""
        return self.height_axis + 1

    def _size(self, images: Tensor) -> tuple[int, int]:
        return images.shape[self.height_axis], images.shape[self.width_axis]

    def _checked(self, images: Any) -> Tensor:
        images = ops.convert_to_tensor(images)
        if len(images.shape) not in (3, 4):
            raise ShapeError(
                f"The layer {self.name!r} expects an image or a batch of images, with "
                f"3 or 4 axes, got shape {tuple(images.shape)}."
            )
        if self._keeps_integers or dtypes.is_float(ops.dtype(images)):
            return images
        return ops.cast(images, self.compute_dtype)

    def _on_floats(self, images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        """Change images as floats and return them in their own dtype, rounded."""
        dtype = ops.dtype(images)
        if dtypes.is_float(dtype):
            return change(images)
        changed = change(ops.cast(images, self.compute_dtype))
        return ops.saturate_cast(ops.round(changed), dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "data_format": self.data_format}


class RandomImageLayer(ImageLayer):
    """Changes images at random in training, each one otherwise, and only then.

    Subclasses define `change`.

    Args:
        seed: An integer, for the same draws in every run.
        data_format: See `ImageLayer`.
        kwargs: See `Layer`.
    """

    def __init__(
        self, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        """Make a generator."""
        super().__init__(data_format, **kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = True) -> Tensor:
        """Return changed images in training, and elsewhere `inputs` as floats."""
        images = self._checked(inputs)
        if not training:
            return self.leave(images)
        if len(images.shape) == 4:
            return self.change(images)
        return ops.squeeze(self.change(ops.expand_dims(images, 0)), 0)

    def change(self, images: Tensor) -> Tensor:
        """Return changed images, for a batch of them."""
        raise NotImplementedError

    def leave(self, images: Tensor) -> Tensor:
        """Return the images outside of training."""
        return images

    def _draw(self, images: Tensor, ends: tuple[float, float]) -> Tensor:
        """Return a number between the ends for each image, ``(B, 1, 1, 1)``."""
        if ends[0] == ends[1]:
            # A range of one number draws nothing, so that it can be relied on.
            return ops.full((images.shape[0], 1, 1, 1), ends[0], ops.dtype(images))
        # In float32 whatever the images are, so that all dtypes draw the same.
        drawn = random.uniform(
            (images.shape[0], 1, 1, 1), *ends, dtype="float32", seed=self.seed_generator
        )
        return ops.cast(drawn, ops.dtype(images))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "seed": self.seed}


class SampledImageLayer(RandomImageLayer):
    """Moves pixels: each comes from a place that an affine map gives.

    Subclasses define `transforms`.

    Args:
        fill_mode: What lies outside of an image: ``"reflect"``, ``"wrap"``,
            ``"constant"`` or ``"nearest"``.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_value: The value outside for ``"constant"``.
        kwargs: See `RandomImageLayer`.
    """

    def __init__(
        self, fill_mode: str, interpolation: str, fill_value: float, **kwargs: Any
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        layer = type(self).__name__
        self.fill_mode = one_of(layer, "fill_mode", fill_mode, _FILL_MODES)
        self.interpolation = one_of(
            layer, "interpolation", interpolation, ("bilinear", "nearest")
        )
        self.fill_value = fill_value

    def transforms(self, images: Tensor) -> list[Any]:
        """Return a0, a1, a2, b0, b1, b2 of `ops.image.affine_transform`, each (B,)."""
        raise NotImplementedError

    def change(self, images: Tensor) -> Tensor:
        """Return the images with their pixels moved."""
        batch, dtype = images.shape[0], ops.dtype(images)
        columns = [
            ops.broadcast_to(ops.cast(ops.reshape(v, (-1,)), dtype), (batch,))
            for v in [*map(ops.convert_to_tensor, self.transforms(images)), *_ZEROS]
        ]
        return ops.image.affine_transform(
            images,
            ops.stack(columns, axis=-1),
            interpolation=self.interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }


_ZEROS = (0.0, 0.0)
