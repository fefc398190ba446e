"""Process-wide defaults of the front end: floatx, epsilon, image data format."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

from polykeras.errors import ArgumentError, PolykerasError, nearest

if TYPE_CHECKING:
    from polykeras.backend import backend, set_backend
    from polykeras.dtype_policies import dtype_policy, set_dtype_policy

# Settings that modules above this one keep, under the names that Keras gives them.
_ABOVE: Final = {
    "backend": "polykeras.backend",
    "dtype_policy": "polykeras.dtype_policies",
    "set_backend": "polykeras.backend",
    "set_dtype_policy": "polykeras.dtype_policies",
}

__all__ = [
    "backend",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_interactive_logging_enabled",
    "is_traceback_filtering_enabled",
    "set_backend",
    "set_dtype_policy",
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
_interactive_logging = True


def __getattr__(name: str) -> Any:
    if name not in _ABOVE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ABOVE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ABOVE})


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
    """Set the small number that guards divisions and logarithms.

    Raises:
        ArgumentError: If `value` is not positive.
    """
    global _epsilon  # noqa: PLW0603
    if not float(value) > 0:
        raise ArgumentError(f"epsilon must be a positive number, got {value!r}.")
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


def enable_unsafe_deserialization() -> None:
    """Refuse: files never run code here, so there is nothing to enable.

    Raises:
        PolykerasError: Always.
    """
    raise PolykerasError(
        "Loading a file never runs code from it, and no setting changes that. Define "
        "the class or function in your program, register it with "
        "@keras.saving.register_keras_serializable, and load the file then."
    )


def enable_interactive_logging() -> None:
    """Show progress on standard output; this is the default."""
    global _interactive_logging  # noqa: PLW0603
    _interactive_logging = True


def disable_interactive_logging() -> None:
    """Send progress and messages to the logger ``"polykeras"`` at level INFO.

    ``verbose="auto"`` then means one line an epoch.
    """
    global _interactive_logging  # noqa: PLW0603
    _interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Return whether progress is shown on standard output.

    >>> is_interactive_logging_enabled()
    True
    """
    return _interactive_logging


def disable_traceback_filtering() -> None:
    """Do nothing: tracebacks are never filtered here."""


def is_traceback_filtering_enabled() -> bool:
    """Return False: tracebacks are never filtered here."""
    return False


def enable_traceback_filtering() -> None:
    """Refuse: what polykeras raises shows the whole way to where it was raised.

    Raises:
        PolykerasError: Always.
    """
    raise PolykerasError(
        "Tracebacks are not filtered: polykeras' own frames are part of them. Remove "
        "the call."
    )
