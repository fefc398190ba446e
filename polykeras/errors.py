"""The exceptions that polykeras raises on purpose.

Every message has three parts: what was expected, what came (shape, dtype,
backend), and what to do. The tree::

    PolykerasError
    ├── ShapeError(ValueError)
    ├── DTypeError(TypeError)
    ├── ArgumentError(ValueError)
    ├── StateError(ValueError)
    ├── GradientError(RuntimeError)
    ├── DataError(ValueError)
    │   └── UnsafeFileError
    └── BackendError(RuntimeError)
        ├── BackendNotFound(LookupError)
        ├── BackendUnavailable(ImportError)
        ├── IncompatibleBackend
        ├── ForeignTensorError(TypeError)
        └── OperationNotSupported(NotImplementedError)
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping

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
    "StateError",
    "UnsafeFileError",
    "nearest",
    "unknown_argument",
]


class PolykerasError(Exception):
    """Base class of every error that polykeras raises on purpose."""


class ShapeError(PolykerasError, ValueError):
    """A tensor, layer or argument has a shape that cannot be used here."""


class DTypeError(PolykerasError, TypeError):
    """A tensor or argument has a dtype that cannot be used here."""


class ArgumentError(PolykerasError, ValueError):
    """An argument has a value outside the allowed ones."""


class StateError(PolykerasError, ValueError):
    """Something is not yet built, compiled or adapted, as the call needs it."""


class GradientError(PolykerasError, RuntimeError):
    """A derivative was asked for that does not exist or cannot be traced."""


class DataError(PolykerasError, ValueError):
    """Training data is malformed, of unequal length, or cannot be read."""


class UnsafeFileError(DataError):
    """A file asks for what loading never grants: code, other files, or memory."""


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


def unknown_argument(
    cls: type, given: Mapping[str, object], more: Iterable[str] = ()
) -> ArgumentError:
    """Return the error for a keyword that no constructor of a class takes.

    Args:
        cls: The class that was to be made.
        given: The keywords left over, with their values; the first one is named.
        more: Keywords that the class takes besides those of its constructors.

    >>> class Circle:
    ...     def __init__(self, radius=1.0): ...
    >>> unknown_argument(Circle, {"radios": 2.0})
    ArgumentError("Circle got the unknown argument radios=2.0. Did you mean 'rad...")
    """
    known = set(more)
    for base in cls.__mro__:
        if "__init__" in vars(base):
            known |= set(inspect.signature(vars(base)["__init__"]).parameters)
    name = min(given)
    return ArgumentError(
        f"{cls.__name__} got the unknown argument {name}={given[name]!r}. "
        + nearest(name, known - {"self", "args", "kwargs"})
    )
