"""The exceptions that polykeras raises on purpose.

Every message has three parts: what was expected, what came (shape, dtype,
backend), and what to do. The tree::

    PolykerasError
    ├── ShapeError(ValueError)
    ├── DTypeError(TypeError)
    ├── ArgumentError(ValueError)
    ├── GradientError(RuntimeError)
    ├── DataError(ValueError)
    └── BackendError(RuntimeError)
        ├── BackendNotFound(LookupError)
        ├── BackendUnavailable(ImportError)
        ├── IncompatibleBackend
        ├── ForeignTensorError(TypeError)
        └── OperationNotSupported(NotImplementedError)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ArgumentError",
    "BackendError",
    "BackendNotFound",
    "BackendUnavailable",
    "DTypeError",
    "DataError",
    "ForeignTensorError",
    "GradientError",
    "IncompatibleBackend",
    "OperationNotSupported",
    "PolykerasError",
    "ShapeError",
    "nearest",
]


class PolykerasError(Exception):
    """Base class of every error that polykeras raises on purpose."""


class ShapeError(PolykerasError, ValueError):
    """A tensor, layer or argument has a shape that cannot be used here."""


class DTypeError(PolykerasError, TypeError):
    """A tensor or argument has a dtype that cannot be used here."""


class ArgumentError(PolykerasError, ValueError):
    """An argument has a value outside the allowed ones."""


class GradientError(PolykerasError, RuntimeError):
    """A derivative was asked for that does not exist or cannot be traced."""


class DataError(PolykerasError, ValueError):
    """Training data is malformed, of unequal length, or cannot be read."""


class BackendError(PolykerasError, RuntimeError):
    """Something is wrong with a backend or with the choice of one."""


class BackendNotFound(BackendError, LookupError):
    """No installed plugin supplies a backend of that name."""


class BackendUnavailable(BackendError, ImportError):
    """The plugin is installed, but its array library is not or fails to load."""


class IncompatibleBackend(BackendError):
    """The plugin or its library has a version that polykeras cannot use."""


class ForeignTensorError(BackendError, TypeError):
    """A tensor of one backend was given to another and cannot be converted."""


class OperationNotSupported(BackendError, NotImplementedError):
    """The backend supplies no kernel for the op, and there is no composition."""


def nearest(word: object, choices: Iterable[str]) -> str:
    """Say which choices exist and which one is spelled most like `word`.

    Args:
        word: The value received.
        choices: The values allowed.

    Returns:
        A sentence that ends an error message.

    >>> nearest("toch", ["numpy", "torch"])
    "Did you mean 'torch'? Allowed: 'numpy', 'torch'."
    """
    allowed = sorted(set(choices))
    close = difflib.get_close_matches(str(word), allowed, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}Allowed: {', '.join(map(repr, allowed)) or 'nothing'}."
