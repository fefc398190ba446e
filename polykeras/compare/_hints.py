"""What may be the cause of a wrong op: known mistakes, tried on the reference.

Each suspicion is a way to change the arguments, or the result, of the reference. The
one that gives what the engine gave is the likely cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.ops._registry import REGISTRY

__all__ = ["hint_for"]

_EPSILONS: Final = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12, 0.0)
_NEARER: Final = 16
"""A suspicion has to explain all but a sixteenth of the error."""

_SUMS: Final = (
    "matmul",
    "conv_general",
    "conv_general_kernel",
    "sum",
    "einsum",
    "mean",
)

Variant = Callable[[list[Any]], Array]


def hint_for(
    name: str, given: list[Any], found: Array, expected: Array, run: Variant
) -> str:
    """Return the likely cause of an error in words, or nothing.

    Args:
        name: The op.
        given: Its arguments, tensors with a ``value``.
        found: What the engine gave.
        expected: What is right.
        run: Runs the reference on other arguments.
    """
    if found.shape != expected.shape:
        return ""
    wide = found.astype(expected.dtype)
    error = _distance(wide, expected)
    best, cause = error / _NEARER, ""
    for words, value in _suspicions(name, given, expected, run):
        if value.shape == expected.shape:
            distance = _distance(wide, value)
            if distance < best:
                best, cause = distance, words
    return cause or _by_size(name, wide, expected)


def _distance(x: Array, y: Array) -> float:
    with np.errstate(all="ignore"):
        return float(np.max(np.nan_to_num(np.abs(x - y), nan=np.inf), initial=0.0))


def _suspicions(
    name: str, given: list[Any], expected: Array, run: Variant
) -> Iterator[tuple[str, Array]]:
    names = REGISTRY[name].op.names  # type: ignore[attr-defined]
    if "epsilon" in names:
        at = names.index("epsilon")
        for value in _EPSILONS:
            if value != given[at]:
                yield (
                    f"It is as if epsilon were {value:g}, not {given[at]:g}",
                    run([*given[:at], value, *given[at + 1 :]]),
                )
    if "approximate" in names:
        at = names.index("approximate")
        other = not given[at]
        words = "the tanh approximation" if other else "the exact function"
        yield (
            f"It is as if {words} were used",
            run([*given[:at], other, *given[at + 1 :]]),
        )
    for at, argument in enumerate(given):
        held = getattr(argument, "value", None)
        if held is None or held.ndim < 2:
            continue
        if held.shape[-1] == held.shape[-2]:
            swapped = replace(argument, value=np.swapaxes(held, -1, -2))
            yield (
                f"It is as if {names[at]!r} were transposed",
                run([*given[:at], swapped, *given[at + 1 :]]),
            )
        if held.ndim > 2:
            for moved in _other_layouts(held):
                yield (
                    f"It is as if {names[at]!r} were read with channels first",
                    run(
                        [*given[:at], replace(argument, value=moved), *given[at + 1 :]]
                    ),
                )
        if name.startswith("conv") and held.ndim > 2:
            axes = tuple(range(held.ndim - 2))
            flipped = replace(argument, value=np.flip(held, axes))
            yield (
                "It is as if the kernel were flipped",
                run([*given[:at], flipped, *given[at + 1 :]]),
            )
    if "padding" in names:
        yield from _shifted_padding(names.index("padding"), given, run)
    for axis in range(expected.ndim):
        for step in (-1, 1):
            yield (
                f"It is off by {step:+d} along axis {axis}",
                np.roll(expected, step, axis),
            )
    if name in _SUMS:
        for words, bits in (
            ("bfloat16", 7),
            ("10 bits, as TF32 and float16 have", 10),
        ):
            rounded = [_rounded(a, bits) for a in given]
            yield f"It is as if the inputs were rounded to {words}", run(rounded)
    tiny = float(np.finfo(np.float32).smallest_normal)
    yield (
        "Numbers below the smallest normal one are flushed to 0",
        np.where(np.abs(expected) < tiny, 0.0, expected),
    )


def _shifted_padding(
    at: int, given: list[Any], run: Variant
) -> Iterator[tuple[str, Array]]:
    padding = given[at]
    if not isinstance(padding, list | tuple) or not padding:
        return
    for step in (-1, 1):
        moved = [(low + step, high - step) for low, high in padding]
        if all(low >= 0 and high >= 0 for low, high in moved):
            words = "more" if step > 0 else "less"
            yield (
                f"It is as if the padding had one {words} in front",
                run([*given[:at], type(padding)(moved), *given[at + 1 :]]),
            )


def _rounded(argument: Any, bits: int) -> Any:
    value = getattr(argument, "value", None)
    if value is None or value.dtype.kind != "f":
        return argument
    fraction, exponent = np.frexp(value)
    kept = np.ldexp(np.round(np.ldexp(fraction, bits + 1)), exponent - bits - 1)
    return replace(argument, value=kept.astype(value.dtype))


def _other_layouts(x: Array) -> Iterator[Array]:
    """Yield what numbers read with channels at the other end would be."""
    first = (x.shape[0], x.shape[-1], *x.shape[1:-1])
    yield np.moveaxis(x.reshape(first), 1, -1)
    yield np.moveaxis(x, -1, 1).reshape(x.shape)


def _by_size(name: str, found: Array, expected: Array) -> str:
    """Guess from the size of the error of a sum in which dtype it was computed."""
    if name not in _SUMS or not expected.size:
        return ""
    with np.errstate(all="ignore"):
        scale = float(np.max(np.abs(expected), initial=0.0))
        error = _distance(found, expected) / scale if scale else 0.0
    if 2.0**-16 < error < 2.0**-6:
        return (
            "An error of this size comes from sums in half precision or from TF32: "
            "10 bits instead of 23"
        )
    return ""
