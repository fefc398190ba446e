"""Arguments of constructors, checked against their annotations for all classes at once.

What a type cannot say, such as the least number of units or the words that padding
may be, is checked where the argument is used.
"""

from __future__ import annotations

import functools
import inspect
import numbers
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from polykeras.errors import ArgumentError, unknown_argument

__all__ = ["CheckedArguments"]

Test = Callable[[Any], bool]


def _is_flag(value: Any) -> bool:
    # 0 and 1 are what older code writes.
    return isinstance(value, bool | np.bool_) or (_is_int(value) and value in (0, 1))


def _is_int(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool | np.bool_ | str):
        return False
    # Tensors and variables are numbers if they hold one.
    return isinstance(value, numbers.Real) or (
        hasattr(value, "__float__") and getattr(value, "shape", None) == ()
    )


def _is_sequence_of(test: Test) -> Test:
    def is_sequence(value: Any) -> bool:
        if isinstance(value, str | bytes | Mapping):
            return False
        # Arrays of numbers are lists of them.
        return hasattr(value, "__array__") or (
            isinstance(value, Sequence | set | frozenset | range)
            and all(map(test, value))
        )

    return is_sequence


# Bars outside of brackets.
_UNION = re.compile(r"\|(?![^\[]*\])")

# What an annotation admits, and what messages call it. Others are not checked here.
_TYPES: dict[str, tuple[Test, str]] = {
    "bool": (_is_flag, "True or False"),
    "int": (_is_int, "an int"),
    "float": (_is_number, "a number"),
    "str": (lambda value: isinstance(value, str), "a string"),
    "None": (lambda value: value is None, "None"),
    "Sequence[Any]": (_is_sequence_of(lambda _: True), "a list"),
    "Mapping[str, Any]": (lambda value: isinstance(value, Mapping), "a dict"),
    "Sequence[int]": (_is_sequence_of(_is_int), "a list of ints"),
    "Sequence[int | None]": (
        _is_sequence_of(lambda value: value is None or _is_int(value)),
        "a list of ints and None",
    ),
    "Sequence[float]": (_is_sequence_of(_is_number), "a list of numbers"),
    "Sequence[str]": (
        _is_sequence_of(lambda value: isinstance(value, str)),
        "a list of strings",
    ),
}


class CheckedArguments:
    """The base of classes whose constructors answer wrong types by name.

    Constructors outside of polykeras take what they like: annotations there are
    their authors' business.

    >>> class Scale(CheckedArguments):
    ...     def __init__(self, factor: float = 1.0): ...
    >>> Scale.__module__ = "polykeras"
    >>> Scale("two")
    Traceback (most recent call last):
    polykeras.errors.ArgumentError: Scale needs a number as factor, got 'two' (str).
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Check the arguments before `__init__` gets them."""
        if args or kwargs:
            makers = _makers(cls)
            if makers[0].__module__.partition(".")[0] == "polykeras":
                _check(cls, _checks(makers), args, kwargs)
        return super().__new__(cls)


class _Checks(NamedTuple):
    """What is known of a constructor."""

    positional: tuple[str, ...]
    admitted: dict[str, list[tuple[Test, str]]]
    # Whether it takes names besides these.
    is_open: bool


def _makers(cls: type) -> tuple[type, ...]:
    """Return the class that a constructor is from, and those it can pass keywords to.

    Classes of users that inherit a constructor are left out: no cache is to keep them.
    """
    for i, base in enumerate(cls.__mro__):
        if "__init__" in vars(base):
            return cls.__mro__[i:]
    raise AssertionError("object has a constructor")


@functools.lru_cache(maxsize=512)
def _checks(makers: tuple[type, ...]) -> _Checks:
    positional: tuple[str, ...] | None = None
    admitted: dict[str, list[tuple[Test, str]]] = {}
    for base in makers[:-1]:
        if "__init__" not in vars(base):
            continue
        signature = inspect.signature(vars(base)["__init__"])
        parameters = list(signature.parameters.values())[1:]
        if positional is None:
            positional = tuple(
                p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD
            )
        for p in parameters:
            if p.kind is not p.VAR_POSITIONAL and p.kind is not p.VAR_KEYWORD:
                admitted.setdefault(p.name, _admitted(p.annotation))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            # One that passes keywords on may change them before it does.
            return _Checks(positional, admitted, is_open=base is not makers[0])
    return _Checks(positional or (), admitted, is_open=True)


def _check(
    cls: type, checks: _Checks, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    # Too many arguments are Python's to refuse.
    for name, value in [
        *zip(checks.positional, args, strict=False),
        *kwargs.items(),
    ]:
        found = checks.admitted.get(name)
        if found and not any(test(value) for test, _ in found):
            said = " or ".join(words for _, words in found)
            raise ArgumentError(
                f"{cls.__name__} needs {said} as {name}, "
                f"got {value!r} ({type(value).__name__})."
            )
    unknown = {k: v for k, v in kwargs.items() if k not in checks.admitted}
    if unknown and not checks.is_open:
        raise unknown_argument(cls, unknown)


def _admitted(annotation: Any) -> list[tuple[Test, str]]:
    """Return the tests of a union, or none where a part of it is not of the table."""
    parts = [part.strip() for part in _UNION.split(str(annotation))]
    if any(part not in _TYPES for part in parts):
        return []
    return [_TYPES[part] for part in parts]
