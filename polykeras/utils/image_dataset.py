"""`image_dataset_from_directory`: batches of images from folders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import config
from polykeras.backend import REFERENCE, engine_scope, get_backend
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.utils.directory import FileDataset, FileList, list_files, make_datasets
from polykeras.utils.images import img_to_array, load_img

if TYPE_CHECKING:
    from polykeras.backend import Array

__all__ = ["image_dataset_from_directory", "smart_resize"]

_SUFFIXES: Final = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
_COLOR_MODES: Final = ("grayscale", "rgb", "rgba")
_INTERPOLATIONS: Final = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
# Reading and decoding files releases the interpreter, so threads help.
_WORKERS: Final = 4


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str | None = None,
    verbose: bool = True,
) -> Any:
    """Return batches of the images in folders, one folder a class.

    The result is a `PyDataset` with `class_names` and `file_paths`, and `take`, `map`,
    `cache` and `prefetch`. Images are read by Pillow when their batch is wanted.

    Args:
        directory: The folder that holds the folders of the classes.
        labels: ``"inferred"`` from the folders, a list with one class number a file in
            the order of their paths, or None for images alone.
        label_mode: ``"int"`` for class numbers, ``"categorical"`` for one-hot rows,
            ``"binary"`` for 0 and 1 as floats, or None for images alone.
        class_names: The folders to use, in the order of their numbers.
        color_mode: ``"grayscale"``, ``"rgb"`` or ``"rgba"``: 1, 3 or 4 channels.
        batch_size: Images in a batch; None yields single images.
        image_size: ``(height, width)`` that images are resized to.
        shuffle: Whether the order is random, and another in each epoch.
        seed: Where the orders come from.
        validation_split: Share of the files in the validation part.
        subset: ``"training"``, ``"validation"`` or ``"both"`` (a pair of data sets).
        interpolation: As in `layers.Resizing`.
        follow_links: Whether links to folders are followed.
        crop_to_aspect_ratio: Whether what would be distorted is cut off first.
        pad_to_aspect_ratio: Whether a border is added instead.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        format: Kept for Keras' signature; must be None.
        verbose: Whether to say how many files were found.

    Returns:
        A data set of ``(images, labels)``, images float32 ``(B, H, W, C)`` from 0 to
        255; or of images alone.

    Raises:
        DataError: If there are no such files.
        ArgumentError: If arguments contradict each other.
        ImportError: If Pillow is not installed.
    """
    for name, value, allowed in (
        ("color_mode", color_mode, _COLOR_MODES),
        ("interpolation", interpolation, _INTERPOLATIONS),
    ):
        if value not in allowed:
            raise ArgumentError(f"Unknown {name} {value!r}. {nearest(value, allowed)}")
    files = list_files(directory, labels, class_names, _SUFFIXES, follow_links)
    resize = {
        "interpolation": interpolation,
        "crop_to_aspect_ratio": crop_to_aspect_ratio,
        "pad_to_aspect_ratio": pad_to_aspect_ratio,
    }
    layout = config.standardize_data_format(data_format)

    def make(part: FileList, part_seed: int) -> _Images:
        images = _Images(
            part,
            label_mode,
            batch_size,
            shuffle=shuffle,
            seed=part_seed,
            workers=_WORKERS,
        )
        height, width = image_size
        images.reading = (color_mode, (height, width), resize, layout)
        return images

    return make_datasets(
        make,
        files,
        labels=labels,
        label_mode=label_mode,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        format=format,
        verbose=verbose,
    )


class _Images(FileDataset):
    """Batches of image files."""

    reading: tuple[str, tuple[int, int], dict[str, Any], str]

    def read(self, path: str) -> Array:
        """Return an image as floats, resized."""
        color_mode, size, resize, layout = self.reading
        image = img_to_array(load_img(path, color_mode), "channels_last", "float32")
        if image.shape[:2] != size:
            image = _resized(image, size, **resize)
        return image.transpose(2, 0, 1) if layout == "channels_first" else image


def _resized(image: Array, size: tuple[int, int], **how: Any) -> Array:
    from polykeras import ops

    # The reference, so that images are the same whatever trains on them.
    with engine_scope(get_backend(REFERENCE)):
        changed = ops.image.resize(image, size, data_format="channels_last", **how)
        return np.asarray(changed)


def smart_resize(
    x: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    **kwargs: Any,
) -> Any:
    """Resize images without distorting them: cut off first what would be.

    Args:
        x: Images ``(..., H, W, C)``, or channels first.
        size: ``(height, width)`` of the result.
        interpolation: As in `layers.Resizing`.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        kwargs: ``backend_module``, which is ignored.

    Returns:
        An array for an array, and otherwise a tensor.

    Raises:
        ShapeError: If `x` is no image and no batch of images.

    >>> smart_resize(np.ones((10, 20, 3)), (5, 5)).shape
    (5, 5, 3)
    """
    from polykeras import ops

    kwargs.pop("backend_module", None)
    if kwargs:
        raise ArgumentError(f"smart_resize got unknown arguments {sorted(kwargs)}.")
    if len(np.shape(x)) not in (3, 4):
        raise ShapeError(
            f"smart_resize takes images with 3 or 4 axes, got shape {np.shape(x)}."
        )
    changed = ops.image.resize(
        x,
        size,
        interpolation=interpolation,
        crop_to_aspect_ratio=True,
        data_format=data_format,
    )
    return ops.convert_to_numpy(changed) if isinstance(x, np.ndarray) else changed
