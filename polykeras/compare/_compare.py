"""`compare`: one call from a model to a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras.backend import REFERENCE, Backend
from polykeras.compare._engines import engines_named
from polykeras.compare._report import Report
from polykeras.compare._run import Comparison
from polykeras.errors import ArgumentError

__all__ = ["compare"]


def compare(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    backends: Sequence[str | Backend] | None = None,
    reference: str | Backend = f"{REFERENCE}:float64",
    steps: int | None = None,
    batch_size: int = 8,
    seed: int = 0,
    pairwise: bool = True,
    max_memory: int | None = None,
) -> Report:
    """Run a model on several engines and say where, and by how much, they differ.

    Weights, batch, seeds and dropout masks are the same on each. The model itself is
    not changed.

    Args:
        model: A model; where it lives does not matter.
        x: A batch of inputs; None draws one of the shapes that the model declares.
        y: Targets; None draws some that fit the loss.
        backends: Engines: names, names with a dtype such as ``"torch:bfloat16"``, or
            `Backend` objects; None means all that are installed.
        reference: The engine that errors are measured against.
        steps: Number of training steps on the batch, of which the first is compared
            gradient by gradient; None means one for compiled models. A model that is
            not compiled trains on the squares of its errors.
        batch_size: Number of samples drawn where `x` is None.
        seed: Of everything that is drawn.
        pairwise: Whether outputs of engines are compared with each other too.
        max_memory: Bytes of recorded outputs, gradients and weights to hold in memory,
            the rest lies in temporary files meanwhile; None means all. Beside them
            there are the model, a copy where it runs, with its optimizer, and while it
            trains its weights before and after a step.

    Returns:
        The report.

    Raises:
        ArgumentError: If `model` is no model, no backend or one twice is given, or a
            number is none or negative.
        ShapeError: If `x` is None and the model does not say its input's shape.

    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.compare(model, backends=["numpy"]).consistent
    True
    """
    for name, value, least in (
        ("steps", steps or 0, 0),
        ("batch_size", batch_size, 1),
        ("seed", seed, 0),
        ("max_memory", max_memory or 0, 0),
    ):
        if not isinstance(value, int | np.integer) or value < least:
            raise ArgumentError(
                f"{name} must be an integer of at least {least}, got {value!r}."
            )
    engines = engines_named(backends)
    comparison = Comparison(model, x, y, reference, batch_size, seed)
    if steps is None:
        steps = int(bool(model.compiled))
    return comparison.run(engines, steps, pairwise=pairwise, max_memory=max_memory)
