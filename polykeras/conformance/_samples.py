"""Sample calls of ops: what is drawn, with which shape, range and dtype.

A sample is written as the call it stands for, with a placeholder for each tensor::

    call(real(2, 3), axis=1)
    call(real(4, 3), whole(5, high=4), axis=0)

A `real` takes whatever dtype is being tested; the others have one of their own.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np

from polykeras import dtypes
from polykeras.backend import Array

__all__ = [
    "Draw",
    "Sample",
    "call",
    "complex_",
    "given",
    "made",
    "real",
    "truth",
    "whole",
    "widened",
]

Generator: TypeAlias = np.random.Generator
# Distance that draws keep from multiples of a half, where rounding, comparing with
# a constant and differencing meet steps.
_APART: Final = 0.05


@dataclass(frozen=True)
class Draw:
    """A tensor argument of a sample call.

    Args:
        make: Gives the values, in 64 bits.
        shape: The shape, for names and layouts.
        dtype: The dtype it always has; None means the dtype being tested.
        differentiable: Whether its gradient is checked where the dtype is floating.
    """

    make: Callable[[Generator], Array]
    shape: tuple[int, ...]
    dtype: str | None = None
    differentiable: bool = True

    def constant(self) -> Draw:
        """Return the same tensor, whose gradient is not checked."""
        return replace(self, differentiable=False)


def real(*shape: int, low: float = -2.0, high: float = 2.0) -> Draw:
    """Draw numbers that keep away from each other and from multiples of a half.

    Args:
        shape: The shape of the tensor.
        low: Smallest value.
        high: Largest value; integers are drawn from whole numbers in between.
    """

    def make(rng: Generator) -> Array:
        # Strata keep values apart, so that maxima and sorts have no ties.
        count = int(np.prod(shape))
        at = (np.arange(count) + rng.uniform(0.25, 0.75, count)) / max(count, 1)
        values = low + (high - low) * rng.permutation(at)
        margin = min(_APART, (high - low) / 20)
        near = np.round(values * 2) / 2
        side = np.where(values < near, -margin, margin)
        side = np.where((near + side < low) | (near + side > high), -side, side)
        values = np.where(np.abs(values - near) < margin, near + side, values)
        return values.reshape(shape)

    return Draw(make, shape)


def complex_(*shape: int, dtype: str = "complex64") -> Draw:
    """Draw complex numbers with parts in [-2, 2].

    Args:
        shape: The shape of the tensor.
        dtype: ``"complex64"`` or ``"complex128"``.
    """

    def make(rng: Generator) -> Array:
        values = rng.uniform(-2, 2, shape) + 1j * rng.uniform(-2, 2, shape)
        return np.asarray(values)

    return Draw(make, shape, dtype)


def whole(*shape: int, low: int = 0, high: int = 10, dtype: str = "int32") -> Draw:
    """Draw integers from ``range(low, high)``.

    Args:
        shape: The shape of the tensor.
        low: Smallest value.
        high: One more than the largest value.
        dtype: An integer dtype.
    """
    return Draw(lambda rng: np.asarray(rng.integers(low, high, shape)), shape, dtype)


def truth(*shape: int) -> Draw:
    """Draw booleans."""
    return Draw(lambda rng: np.asarray(rng.random(shape) < 0.5), shape, "bool")


def given(values: Any, dtype: str | None = None) -> Draw:
    """State the values of a tensor.

    Args:
        values: Numbers or nested lists of them.
        dtype: The dtype; None means the dtype being tested.
    """
    array = np.asarray(values)
    if array.dtype.kind in "iu" and dtype is None:
        array = array.astype(np.float64)
    return Draw(lambda rng: array.copy(), array.shape, dtype)


def made(
    fn: Callable[[Generator], Array], *shape: int, dtype: str | None = None
) -> Draw:
    """Draw a tensor with a structure of its own, such as a definite matrix.

    Args:
        fn: Gives the values from a generator, in 64 bits.
        shape: The shape that `fn` returns.
        dtype: The dtype; None means the dtype being tested.
    """
    return Draw(fn, shape, dtype)


@dataclass(frozen=True, eq=False)
class Sample:
    """One call of an op, with placeholders for tensors.

    Args:
        args: Positional arguments, nested lists of tensors included.
        kwargs: Keyword arguments.
        note: What is special about it, for the report.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    def noted(self, note: str) -> Sample:
        """Return the sample with a note."""
        return replace(self, note=note)

    @property
    def draws(self) -> list[Draw]:
        """All placeholders, in the order of the arguments."""
        found: list[Draw] = []
        _map(lambda x: found.append(x) if isinstance(x, Draw) else None, self.args)
        _map(lambda x: found.append(x) if isinstance(x, Draw) else None, self.kwargs)
        return found

    def __str__(self) -> str:
        said = [_text(a) for a in self.args]
        said += [f"{k}={_text(v)}" for k, v in self.kwargs.items()]
        return self.note or ",".join(said).replace(" ", "")

    def values(self, dtype: str, seed: int = 0, *, wide: bool = False) -> list[Array]:
        """Return the values of the placeholders, in the order of the arguments.

        Args:
            dtype: What the placeholders without a dtype of their own get.
            seed: Of the values; the same sample and seed give the same values in
                every dtype, up to rounding.
            wide: Whether the arrays are widened to 64 bits, as references get them.
                Booleans become integers, but for those that are always booleans.
        """
        rng = np.random.default_rng([seed, zlib.crc32(str(self).encode())])

        def value(x: Draw) -> Array:
            values = as_dtype(x.make(rng), x.dtype or dtype)
            return values if not wide or x.dtype == "bool" else widened(values)

        return [value(x) for x in self.draws]

    def filled(self, values: Iterable[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with values in place of placeholders.

        Args:
            values: One for each placeholder, in the order of the arguments.
        """
        left = iter(values)

        def fill(x: Any) -> Any:
            return next(left) if isinstance(x, Draw) else x

        return _map(fill, self.args), _map(fill, self.kwargs)

    def arrays(
        self, dtype: str, seed: int = 0, *, wide: bool = False
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with the arrays of `values` in them."""
        return self.filled(self.values(dtype, seed, wide=wide))


def call(*args: Any, **kwargs: Any) -> Sample:
    """Write a sample as the call that it stands for."""
    return Sample(args, kwargs)


def as_dtype(values: Array, dtype: str) -> Array:
    """Return 64-bit values in a dtype; whole ones for integers, no negative unsigned.

    Args:
        values: The values.
        dtype: Canonical name.
    """
    if dtypes.is_integer(dtype) and values.dtype.kind == "f":
        values = np.rint(np.nan_to_num(values, posinf=3, neginf=-3) * 2)
        if dtype in dtypes.UNSIGNED:
            values = np.abs(values)
    return np.asarray(values.astype(dtypes.as_numpy_dtype(dtype)))


def widened(x: Array) -> Array:
    """Return an array in 64 bits of its kind."""
    kinds = {"c": np.complex128, "i": np.int64, "b": np.int64, "u": np.uint64}
    return np.asarray(x.astype(kinds.get(x.dtype.kind, np.float64)))


def _map(fn: Callable[[Any], Any], x: Any) -> Any:
    if isinstance(x, list | tuple):
        return type(x)(_map(fn, item) for item in x)
    if isinstance(x, dict):
        return {k: _map(fn, v) for k, v in x.items()}
    return fn(x)


def _text(x: Any) -> str:
    if isinstance(x, Draw):
        return "x".join(map(str, x.shape)) or "()"
    if isinstance(x, list | tuple):
        return "[" + ",".join(_text(item) for item in x) + "]"
    if callable(x):
        return getattr(x, "__name__", type(x).__name__)
    return str(x)
