"""`ImageDataGenerator`: batches of changed images, as Keras 2 made them.

`layers.RandomFlip` and its relatives and `utils.image_dataset_from_directory` have
taken over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from polykeras import ops
from polykeras.backend import REFERENCE, Array, engine_scope, get_backend
from polykeras.errors import ArgumentError, nearest
from polykeras.utils.batch_dataset import SampleDataset
from polykeras.utils.directory import FileList, list_files
from polykeras.utils.images import img_to_array, load_img
from polykeras.utils.numerical import to_categorical

__all__ = ["ImageDataGenerator"]

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_CLASS_MODES = ("categorical", "binary", "sparse", "input")
_FILL_MODES = ("constant", "nearest", "reflect", "wrap")


class ImageDataGenerator:
    """Makes batches of images that are rescaled and changed at random.

    Args:
        featurewise_center: Whether the mean found by `fit` is subtracted.
        samplewise_center: Whether the mean of each image is subtracted.
        featurewise_std_normalization: Whether to divide by the deviation from `fit`.
        samplewise_std_normalization: Whether to divide by that of each image.
        rotation_range: Degrees to turn at most.
        width_shift_range: Shift at most, in pixels from 1 on and below as a share.
        height_shift_range: Likewise.
        brightness_range: Two factors to draw brightness between.
        shear_range: Degrees to shear at most, counter-clockwise.
        zoom_range: Zoom at most, or the two ends of its range.
        channel_shift_range: What is added to the channels at most.
        fill_mode: What lies outside: ``"nearest"``, ``"constant"``, ``"reflect"`` or
            ``"wrap"``.
        cval: The value outside for ``"constant"``.
        horizontal_flip: Whether every other image is mirrored.
        vertical_flip: Whether every other image is turned upside down.
        rescale: A factor on all values.
        preprocessing_function: Applied to each image ``(H, W, C)`` first.
        validation_split: Share of the samples for ``subset="validation"``.

    Raises:
        ArgumentError: If an argument is not among those allowed.

    >>> generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
    >>> flow = generator.flow(np.ones((10, 4, 4, 3)), np.arange(10), batch_size=4)
    >>> x, y = next(flow)
    >>> x.shape, y.shape, len(flow)
    ((4, 4, 4, 3), (4,), 3)
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        rotation_range: float = 0,
        width_shift_range: float = 0.0,
        height_shift_range: float = 0.0,
        brightness_range: tuple[float, float] | None = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[Array], Array] | None = None,
        validation_split: float = 0.0,
    ) -> None:
        """Check and remember the settings."""
        if fill_mode not in _FILL_MODES:
            raise ArgumentError(
                f"Unknown fill_mode {fill_mode!r}. {nearest(fill_mode, _FILL_MODES)}"
            )
        if not 0 <= validation_split < 1:
            raise ArgumentError(
                f"validation_split must lie between 0 and 1, got {validation_split!r}."
            )
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = brightness_range
        self.shear_range = shear_range
        if isinstance(zoom_range, int | float):
            zoom_range = (1 - zoom_range, 1 + zoom_range)
        self.zoom_range: tuple[float, float] = (zoom_range[0], zoom_range[1])
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.validation_split = validation_split
        self.mean: Array | None = None
        self.std: Array | None = None

    def fit(
        self, x: Any, augment: bool = False, rounds: int = 1, seed: Any = None
    ) -> None:
        """Find mean and deviation of images, channel by channel.

        Args:
            x: Images ``(n, H, W, C)``.
            augment: Whether to look at changed images.
            rounds: How often, then.
            seed: Of the changes.
        """
        x = np.asarray(x, "float32")
        if augment:
            rng = np.random.default_rng(seed)
            x = np.concatenate([self._changed(x, rng) for _ in range(rounds)])
        self.mean = x.mean(axis=(0, 1, 2))
        self.std = x.std(axis=(0, 1, 2))

    def standardize(self, x: Array) -> Array:
        """Return images in the range and with the mean that were asked for."""
        if self.rescale is not None:
            x = x * self.rescale
        axes = tuple(range(x.ndim - 3, x.ndim))
        if self.samplewise_center:
            x = x - x.mean(axis=axes, keepdims=True)
        if self.samplewise_std_normalization:
            x = x / (x.std(axis=axes, keepdims=True) + 1e-6)
        if self.featurewise_center and self.mean is not None:
            x = x - self.mean
        if self.featurewise_std_normalization and self.std is not None:
            x = x / (self.std + 1e-6)
        standard: Array = x.astype("float32")
        return standard

    def random_transform(self, x: Array, seed: int | None = None) -> Array:
        """Return one image, changed at random."""
        rng = np.random.default_rng(seed)
        changed: Array = self._changed(np.asarray(x)[None], rng)[0]
        return changed

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        subset: str | None = None,
    ) -> Flow:
        """Return batches of changed images.

        Args:
            x: Images ``(n, H, W, C)``.
            y: Their targets, or None.
            batch_size: Images in a batch.
            shuffle: Whether the order is random.
            seed: Of orders and changes.
            subset: ``"training"`` or ``"validation"``, with `validation_split`.
        """
        x = np.asarray(x)
        kept = self._part(len(x), subset)
        targets = None if y is None else np.asarray(y)[kept]
        images = x[kept]
        return Flow(
            self, lambda i: images[i], len(images), targets, batch_size, shuffle, seed
        )

    def flow_from_directory(
        self,
        directory: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        subset: str | None = None,
        interpolation: str = "nearest",
    ) -> Flow:
        """Return batches of changed images from folders, one folder a class.

        Args:
            directory: The folder that holds the folders of the classes.
            target_size: ``(height, width)`` that images are resized to.
            color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
            classes: The folders to use, in the order of their numbers.
            class_mode: ``"categorical"``, ``"binary"``, ``"sparse"``, ``"input"`` (the
                images themselves) or None.
            batch_size: Images in a batch.
            shuffle: Whether the order is random.
            seed: Of orders and changes.
            subset: ``"training"`` or ``"validation"``, with `validation_split`.
            interpolation: As in `utils.load_img`.

        Raises:
            DataError: If there are no images.
            ArgumentError: If `class_mode` is unknown.
        """
        if class_mode is not None and class_mode not in _CLASS_MODES:
            raise ArgumentError(
                f"Unknown class_mode {class_mode!r}. "
                f"{nearest(class_mode, _CLASS_MODES)}"
            )
        files = list_files(directory, "inferred", classes, _SUFFIXES, False)
        kept = self._part(len(files.paths), subset)
        paths = [files.paths[i] for i in kept]
        targets = _targets(files, class_mode)

        def read(numbers: Array) -> Array:
            return np.stack(
                [
                    img_to_array(
                        load_img(paths[i], color_mode, target_size, interpolation),
                        "channels_last",
                        "float32",
                    )
                    for i in numbers
                ]
            )

        flow = Flow(
            self,
            read,
            len(paths),
            None if targets is None else targets[kept],
            batch_size,
            shuffle,
            seed,
        )
        flow.repeats_inputs = class_mode == "input"
        flow.class_indices = {name: i for i, name in enumerate(files.class_names)}
        flow.filenames = paths
        return flow

    def _part(self, size: int, subset: str | None) -> Array:
        cut = int(size * self.validation_split)
        if subset is None:
            return np.arange(size)
        if subset not in ("training", "validation"):
            raise ArgumentError(
                f"subset must be 'training' or 'validation', got {subset!r}."
            )
        return np.arange(cut) if subset == "validation" else np.arange(cut, size)

    def _changed(self, x: Array, rng: np.random.Generator) -> Array:
        """Return a batch of images, each changed otherwise."""
        x = x.astype("float32")
        if self._moves():
            x = _moved(x, self._transforms(x, rng), self.fill_mode, self.cval)
        if self.channel_shift_range:
            amount = self.channel_shift_range
            shift = rng.uniform(-amount, amount, (len(x), 1, 1, x.shape[-1]))
            x = np.clip(x + shift, x.min(), x.max())
        for wanted, axis in ((self.horizontal_flip, 2), (self.vertical_flip, 1)):
            if wanted:
                chosen = rng.random((len(x), 1, 1, 1)) < 0.5
                x = np.where(chosen, np.flip(x, axis), x)
        if self.brightness_range is not None:
            low, high = self.brightness_range
            factor = rng.uniform(low, high, (len(x), 1, 1, 1))
            x = np.clip(x * factor, 0, max(255.0, float(x.max())))
        return x.astype("float32")

    def _moves(self) -> bool:
        amounts = (
            self.rotation_range,
            self.width_shift_range,
            self.height_shift_range,
            self.shear_range,
        )
        return any(amounts) or self.zoom_range != (1, 1)

    def _transforms(self, x: Array, rng: np.random.Generator) -> Array:
        """Return where each pixel comes from, for `ops.image.affine_transform`."""
        count, height, width, _ = x.shape
        turn = np.deg2rad(rng.uniform(-1, 1, count) * self.rotation_range)
        shear = np.deg2rad(rng.uniform(-1, 1, count) * self.shear_range)
        down = rng.uniform(-1, 1, count) * _pixels(self.height_shift_range, height)
        right = rng.uniform(-1, 1, count) * _pixels(self.width_shift_range, width)
        low, high = self.zoom_range
        zoom_y, zoom_x = rng.uniform(low, high, (2, count))
        cos, sin = np.cos(turn), np.sin(turn)
        # Columns of the map from (x, y): turn after shear after zoom.
        a0 = cos * zoom_x
        a1 = (-sin * np.cos(shear) - cos * np.sin(shear)) * zoom_y
        b0 = sin * zoom_x
        b1 = (cos * np.cos(shear) - sin * np.sin(shear)) * zoom_y
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        a2 = middle_x - a0 * middle_x - a1 * middle_y + right
        b2 = middle_y - b0 * middle_x - b1 * middle_y + down
        zeros = np.zeros(count)
        return np.stack([a0, a1, a2, b0, b1, b2, zeros, zeros], 1).astype("float32")


class Flow(SampleDataset):
    """Batches of an `ImageDataGenerator`, without end where `next` is called.

    Attributes:
        class_indices: Names of classes to their numbers, for images from folders.
        filenames: The files, for images from folders.
    """

    class_indices: dict[str, int]
    filenames: list[str]
    repeats_inputs = False

    def __init__(
        self,
        generator: ImageDataGenerator,
        read: Callable[[Array], Array],
        size: int,
        targets: Array | None,
        batch_size: int,
        shuffle: bool,
        seed: int | None,
    ) -> None:
        """Keep where images come from."""
        super().__init__(size, batch_size, shuffle=shuffle, seed=seed)
        self.samples_generator = generator
        self._read, self._targets = read, targets
        self.n = size
        self._rng = np.random.default_rng(seed)
        self._next = 0

    def samples(self, numbers: Array) -> Any:
        """Return changed images, and their targets if there are any."""
        x = self._read(numbers)
        generator = self.samples_generator
        if generator.preprocessing_function is not None:
            x = np.stack([generator.preprocessing_function(image) for image in x])
        x = generator.standardize(generator._changed(x, self._rng))
        if self.repeats_inputs:
            return x, x
        return x if self._targets is None else (x, self._targets[numbers])

    def __next__(self) -> Any:
        """Return the next batch, beginning anew after the last."""
        batch = self[self._next]
        self._next += 1
        if self._next == len(self):
            self._next = 0
            self.on_epoch_end()
        return batch


def _pixels(amount: float, size: int) -> float:
    return amount if amount >= 1 else amount * size


def _moved(x: Array, transforms: Array, fill_mode: str, value: float) -> Array:
    with engine_scope(get_backend(REFERENCE)):
        moved = ops.image.affine_transform(
            x,
            transforms,
            fill_mode=fill_mode,
            fill_value=value,
            data_format="channels_last",
        )
        return np.asarray(moved)


def _targets(files: FileList, class_mode: str | None) -> Array | None:
    if class_mode in (None, "input") or files.classes is None:
        return None
    numbers = np.array(files.classes, "float32")
    if class_mode == "categorical":
        encoded: Array = to_categorical(numbers, len(files.class_names))
        return encoded.astype("float32")
    return numbers
