"""`assert_consistent`: a comparison as one line of a test."""

from __future__ import annotations

from typing import Any

from polykeras.compare._compare import compare
from polykeras.compare._report import Item, Report

__all__ = ["assert_consistent", "beyond"]


def assert_consistent(
    model: Any, x: Any = None, y: Any = None, *, bound: float = 1.0, **options: Any
) -> Report:
    """Assert that engines agree on a model up to rounding.

    Args:
        model: A model.
        x: A batch of inputs, or None.
        y: Targets, or None.
        bound: How many times the error that rounding explains is allowed.
        options: See `compare`.

    Returns:
        The report.

    Raises:
        AssertionError: With the whole report as its message.

    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> report = keras.compare.assert_consistent(model, backends=["numpy"])
    """
    report = compare(model, x, y, **options)
    over = [item for item in report.items if item.excess > bound]
    if over or (bound <= 1 and not report.consistent):
        worst = max(over, key=lambda item: item.excess, default=None)
        said = "" if worst is None else f"{worst.sentence()}\n\n"
        raise AssertionError(f"{said}{report}")
    return report


def beyond(report: Report, limit: float, *, ulp: bool) -> list[Item]:
    """Return the items whose error as the model ran passes a limit of one's own.

    Args:
        report: The report.
        limit: The largest error allowed.
        ulp: Whether it counts units of the last place of the largest entry, rather
            than being relative to it.
    """
    from polykeras.precision import epsilon_of

    over = []
    for item in report.items:
        if item.error is None or item.kind not in ("layer", "gradient", "update"):
            continue
        error = item.error.max_rel
        if ulp:
            error /= epsilon_of(item.dtype) if item.dtype.count("float") else 1.0
        if error > limit or item.error.nonfinite:
            over.append(item)
    return over
