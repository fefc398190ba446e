"""Images as arrays, files and Pillow objects. Pillow loads when it is first used."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from polykeras.config import floatx, standardize_data_format
from polykeras.dtypes import as_numpy_dtype, standardize_dtype
from polykeras.errors import ArgumentError, ShapeError, nearest

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]

_INTERPOLATIONS: Final = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_MODES: Final = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
# Grayscale of more than eight bits is kept as it is.
_GRAYSCALE: Final = ("L", "I;16", "I")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "Images need the package Pillow, which is not installed. "
            'Run: pip install "polykeras[images]"'
        ) from error
    return Image


def _dtype(name: str | None) -> np.dtype[Any]:
    return as_numpy_dtype(standardize_dtype(name or floatx()))


def array_to_img(
    x: Any,
    data_format: str | None = None,
    scale: bool = True,
    dtype: str | None = None,
) -> Image.Image:
    """Make a Pillow image of an array.

    Args:
        x: One image of shape ``(H, W, C)``, or ``(C, H, W)`` for channels_first,
            with C of 1, 3 or 4.
        data_format: ``"channels_last"``, ``"channels_first"``, or None for the
            default of the process.
        scale: Whether the values are stretched to the range from 0 to 255.
        dtype: Dtype in which the stretching is computed; None is `floatx()`.

    Returns:
        An image of mode L (or I, if a value exceeds 255), RGB or RGBA.

    Raises:
        ImportError: If Pillow is not installed.
        ShapeError: If `x` has another rank or number of channels.
    """
    pillow = _pillow()
    data_format = standardize_data_format(data_format)
    image = np.asarray(x, dtype=_dtype(dtype))
    if image.ndim != 3:
        raise ShapeError(
            f"Expected one image of rank 3, got the shape {image.shape}. "
            "Add a channel axis or take one image of the batch."
        )
    if data_format == "channels_first":
        image = image.transpose(1, 2, 0)
    channels = image.shape[-1]
    if channels not in (1, 3, 4):
        raise ShapeError(
            f"Expected 1, 3 or 4 channels ({data_format}), got the shape "
            f"{np.shape(x)}. Check `data_format`."
        )
    if scale:
        image = image - image.min()
        peak = image.max()
        image = image / peak * 255 if peak else image
    if channels == 1:
        wide = image.max() > 255
        pixels = image[..., 0].astype("int32" if wide else "uint8")
    else:
        pixels = image.astype("uint8")
    result: Image.Image = pillow.fromarray(np.ascontiguousarray(pixels))
    return result


def img_to_array(
    img: Any, data_format: str | None = None, dtype: str | None = None
) -> NDArray[Any]:
    """Make an array of a Pillow image.

    Args:
        img: A Pillow image, or an array of shape ``(H, W)`` or ``(H, W, C)``.
        data_format: ``"channels_last"``, ``"channels_first"``, or None for the
            default of the process.
        dtype: Dtype of the result; None is `floatx()`.

    Returns:
        An array of shape ``(H, W, C)``, or ``(C, H, W)`` for channels_first.

    Raises:
        ShapeError: If `img` has another rank.
    """
    data_format = standardize_data_format(data_format)
    image = np.asarray(img, dtype=_dtype(dtype))
    if image.ndim == 2:
        image = image[..., np.newaxis]
    if image.ndim != 3:
        raise ShapeError(f"Expected an image of rank 2 or 3, got shape {image.shape}.")
    return image.transpose(2, 0, 1) if data_format == "channels_first" else image


def save_img(
    path: str | os.PathLike[str] | IO[bytes],
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array to an image file.

    Args:
        path: File name, or a file opened for writing bytes.
        x: One image of shape ``(H, W, C)``, or ``(C, H, W)`` for channels_first.
        data_format: ``"channels_last"``, ``"channels_first"``, or None for the
            default of the process.
        file_format: Such as ``"png"``; None takes the suffix of `path`.
        scale: Whether the values are stretched to the range from 0 to 255.
        **kwargs: More arguments of Pillow's ``Image.save``.

    Raises:
        ImportError: If Pillow is not installed.
        ShapeError: If `x` is no image.
    """
    image = array_to_img(x, data_format=data_format, scale=scale)
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = Path(path).suffix[1:]
    file_format = (file_format or "").lower()
    if file_format == "jpg":
        file_format = "jpeg"
    if file_format == "jpeg" and image.mode == "RGBA":
        warnings.warn("JPEG has no alpha channel; it is dropped.", stacklevel=2)
        image = image.convert("RGB")
    image.save(path, format=file_format or None, **kwargs)


def load_img(
    path: str | bytes | os.PathLike[str] | io.BytesIO,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image.Image:
    """Read an image file.

    Args:
        path: File name, or a file opened for reading bytes.
        color_mode: ``"grayscale"``, ``"rgb"`` or ``"rgba"``.
        target_size: ``(height, width)`` of the result; None keeps the size.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"hamming"``,
            ``"box"`` or ``"lanczos"``.
        keep_aspect_ratio: Whether the largest centred part with the proportions of
            `target_size` is resized instead of the whole image.

    Returns:
        A Pillow image.

    Raises:
        ArgumentError: If `color_mode` or `interpolation` is unknown.
        ImportError: If Pillow is not installed.
        OSError: If the file cannot be read as an image.
    """
    pillow = _pillow()
    if color_mode not in _MODES:
        raise ArgumentError(
            f"Unknown color_mode {color_mode!r}. {nearest(color_mode, _MODES)}"
        )
    if interpolation not in _INTERPOLATIONS:
        raise ArgumentError(
            f"Unknown interpolation {interpolation!r}. "
            f"{nearest(interpolation, _INTERPOLATIONS)}"
        )
    source = os.fsdecode(path) if isinstance(path, bytes) else path
    with pillow.open(source) as opened:
        opened.load()
        keep = color_mode == "grayscale" and opened.mode in _GRAYSCALE
        image: Image.Image = (
            opened.copy() if keep else opened.convert(_MODES[color_mode])
        )
    if target_size is None:
        return image
    height, width = target_size
    box = _centre_box(image.size, (width, height)) if keep_aspect_ratio else None
    resample = pillow.Resampling[interpolation.upper()]
    return image.resize((width, height), resample, box=box)


def _centre_box(
    size: tuple[int, int], target: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the largest part shaped like `target`."""
    (width, height), (target_width, target_height) = size, target
    crop_width = min(width, height * target_width // target_height)
    crop_height = min(height, width * target_height // target_width)
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    return left, top, left + crop_width, top + crop_height
