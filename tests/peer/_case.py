"""`Case`: what both libraries are asked; the arrays, and how the question is put.

The module imports neither library: a case gets the package it is to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import numpy as np

__all__ = [
    "Case",
    "Draw",
    "Made",
    "Prepared",
    "bools",
    "complexes",
    "fixed",
    "floats",
    "given",
    "ints",
    "op",
    "pattern",
]

FLOAT = "float"  # the precision of the run: float32 or float64


@dataclass(frozen=True)
class Draw:
    """An array that a case gets: drawn by formula, or listed.

    Args:
        shape: Its shape.
        low, high: The range of its values.
        dtype: "float" means the precision of the run.
        listed: The values, where they are not drawn.
        constant: Whether nothing is differentiated for it.
    """

    shape: tuple[int, ...]
    low: float = -1.0
    high: float = 1.0
    dtype: str = FLOAT
    listed: Any = None
    constant: bool = False

    def __repr__(self) -> str:
        if self.listed is not None:
            return f"{self.dtype}{self.listed}"
        size = "x".join(map(str, self.shape))
        usual = (self.low, self.high) == (-1.0, 1.0)
        return f"{self.dtype}[{size}{'' if usual else f' {self.low:g}..{self.high:g}'}]"

    @property
    def differentiable(self) -> bool:
        return self.dtype == FLOAT and not self.constant

    def array(self, seed: int, precision: str) -> np.ndarray:
        """Return the array; both precisions get numbers that float32 holds."""
        rng = np.random.default_rng(seed)
        if self.listed is not None:
            values = np.array(self.listed)
        elif self.dtype == "bool":
            values = rng.uniform(size=self.shape) > 0.4
        elif self.dtype.startswith("complex"):
            values = rng.uniform(-1, 1, self.shape) + 1j * rng.uniform(
                -1, 1, self.shape
            )
        elif self.dtype == FLOAT:
            values = rng.uniform(self.low, self.high, self.shape)
        else:
            values = rng.integers(int(self.low), int(self.high), self.shape)
        if self.dtype == FLOAT:
            return values.astype("float32").astype(precision)
        if self.dtype == "complex":
            wide = "complex128" if precision == "float64" else "complex64"
            return values.astype("complex64").astype(wide)
        return values.astype(self.dtype)


def floats(*shape: int, low: float = -1.0, high: float = 1.0) -> Draw:
    return Draw(shape, low, high)


def ints(high: int, *shape: int, low: int = 0, dtype: str = "int32") -> Draw:
    """Integers from `low` to below `high`."""
    return Draw(shape, low, high, dtype)


def bools(*shape: int) -> Draw:
    return Draw(shape, dtype="bool")


def complexes(*shape: int) -> Draw:
    return Draw(shape, dtype="complex", constant=True)


def given(values: Any, dtype: str = FLOAT) -> Draw:
    """These values."""
    return Draw(np.shape(values), dtype=dtype, listed=values)


def fixed(draw: Draw) -> Draw:
    """The same, as a constant."""
    return replace(draw, constant=True)


@dataclass(frozen=True)
class Made:
    """An object that is an argument of another: a class by its name, and arguments."""

    name: str
    kwargs: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        said = ", ".join(f"{k}={_said(v)}" for k, v in self.kwargs.items())
        return f"{self.name.rpartition('.')[2]}({said})"


@dataclass(frozen=True)
class Prepared:
    """A question that can be put: a function of tensors, and variables it reads.

    Args:
        call: Gives the outputs.
        variables: Gradients are asked for them, too.
        after: What is looked at once `call` has run.
    """

    call: Callable[..., Any]
    variables: list[Any] = field(default_factory=list)
    after: Callable[[], Any] = list


@dataclass(frozen=True)
class Case:
    """A question for both libraries.

    Args:
        name: What it is about, with its namespace: ``"ops.add"``.
        args, kwargs: The arguments; draws in them become tensors.
        prepare: Gets the package and the case.
        label: Says what the arguments do not.
        gradient: Whether gradients are compared, for every draw of floats.
        roundings: Operations one after another that round, longest sum included.
        engine: The engine of Keras that answers alone, where the other cannot.
        covers: Further names that the case is about.
        atol: A bound on the difference where it is not due to rounding.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    prepare: Callable[..., Prepared]
    label: str = ""
    gradient: bool = True
    roundings: int = 32
    engine: str | None = None
    covers: tuple[str, ...] = ()
    atol: float | None = None

    def __str__(self) -> str:
        said = [*map(_said, self.args)]
        said += [f"{k}={_said(v)}" for k, v in self.kwargs.items()]
        return f"{self.name}({', '.join(said)}){self.label}"

    def draws(self) -> list[Draw]:
        return list(_draws([self.args, self.kwargs]))

    def arrays(self, precision: str) -> list[np.ndarray]:
        return [d.array(i, precision) for i, d in enumerate(self.draws())]

    def arguments(self, keras: Any, tensors: list[Any]) -> tuple[Any, Any]:
        """Return `args` and `kwargs` with tensors for the draws, and objects made."""
        return _filled(keras, (self.args, self.kwargs), iter(tensors))


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_said(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        said = ", ".join(map(_said, value))
        if isinstance(value, list):
            return f"[{said}]"
        return f"({said},)" if len(value) == 1 else f"({said})"
    return value.__name__ if callable(value) else repr(value)


def _draws(value: Any) -> Iterator[Draw]:
    if isinstance(value, Draw):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from _draws(v)
    elif isinstance(value, list | tuple):
        for v in value:
            yield from _draws(v)


def _filled(keras: Any, value: Any, tensors: Iterator[Any]) -> Any:
    if isinstance(value, Draw):
        return next(tensors)
    if isinstance(value, Made):
        made = {k: _filled(keras, v, tensors) for k, v in value.kwargs.items()}
        return attrgetter(value.name)(keras)(**made)
    if isinstance(value, dict):
        return {k: _filled(keras, v, tensors) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_filled(keras, v, tensors) for v in value)
    return value


def pattern(shape: tuple[int, ...], phase: float, step: float = 1.3) -> np.ndarray:
    """Return numbers in [-1, 1] by formula, as weights."""
    places = np.arange(int(np.prod(shape)))
    return np.cos(places * step + phase).astype("float32").reshape(shape)


def _prepared_function(keras: Any, case: Case) -> Prepared:
    def call(*tensors: Any) -> Any:
        args, kwargs = case.arguments(keras, list(tensors))
        return attrgetter(case.name)(keras)(*args, **kwargs)

    return Prepared(call)


def op(
    name: str, *args: Any, about: dict[str, Any] | None = None, **kwargs: Any
) -> Case:
    """A function of the package; `about` holds further arguments of `Case`."""
    return Case(name, args, kwargs, _prepared_function, **(about or {}))
