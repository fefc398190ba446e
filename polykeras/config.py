"""Process-wide defaults of the front end: floatx, epsilon, image data format."""

from __future__ import annotations

from typing import Literal

from polykeras.errors import ArgumentError, nearest

__all__ = [
    "epsilon",
    "floatx",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_data_format",
]

DataFormat = Literal["channels_last", "channels_first"]
_FLOATX = ("bfloat16", "float16", "float32", "float64")
_DATA_FORMATS = ("channels_last", "channels_first")

_floatx = "float32"
_epsilon = 1e-7
_image_data_format: DataFormat = "channels_last"


def floatx() -> str:
    """Return the dtype that floats take where nothing else says one.

    >>> floatx()
    'float32'
    """
    return _floatx


def set_floatx(value: str) -> None:
    """Set the dtype that floats take where nothing else says one.

    Args:
        value: ``"bfloat16"``, ``"float16"``, ``"float32"`` or ``"float64"``.

    Raises:
        ArgumentError: If `value` is another string.
    """
    global _floatx  # noqa: PLW0603
    if value not in _FLOATX:
        raise ArgumentError(f"Unknown floatx {value!r}. {nearest(value, _FLOATX)}")
    _floatx = str(value)


def epsilon() -> float:
    """Return the small number that guards divisions and logarithms (1e-7)."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Set the small number that guards divisions and logarithms."""
    global _epsilon  # noqa: PLW0603
    _epsilon = float(value)


def image_data_format() -> DataFormat:
    """Return where images keep their channels unless a layer says otherwise."""
    return _image_data_format


def set_image_data_format(data_format: DataFormat) -> None:
    """Set where images keep their channels unless a layer says otherwise.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Raises:
        ArgumentError: If `data_format` is another string.
    """
    global _image_data_format  # noqa: PLW0603
    _image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> DataFormat:
    """Return a valid data format; None means the process-wide default."""
    if data_format is None:
        return _image_data_format
    word = str(data_format).lower()
    if word == "channels_last":
        return "channels_last"
    if word == "channels_first":
        return "channels_first"
    raise ArgumentError(
        f"Unknown data_format {data_format!r}. {nearest(word, _DATA_FORMATS)}"
    )
