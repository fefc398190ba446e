"""The state of what draws random numbers, as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras.errors import DataError
from polykeras.storage.paths import parts

__all__ = ["restore_seeds", "seed_state"]


def seed_state(model: Any) -> dict[str, Any]:
    """Return the counters of a model's seed generators, and of its training steps.

    Args:
        model: A model or layer.
    """
    seeds: dict[str, Any] = {}
    for where, part in parts(model):
        states = _states(part)
        if states:
            seeds[where] = [v.numpy().tolist() for v in states]
    draws = getattr(model, "_draws", None)
    return {"seeds": seeds, "draws": None if draws is None else list(draws)}


def restore_seeds(model: Any, data: dict[str, Any]) -> None:
    """Set the counters that `seed_state` returned; what is missing stays.

    Raises:
        DataError: If the data are malformed; nothing changes then.
    """
    seeds, draws = data.get("seeds") or {}, data.get("draws")
    try:
        new = [
            (v, np.array([int(n) for n in words], np.uint32).reshape(2))
            for where, part in parts(model)
            for v, words in zip(_states(part), seeds.get(where, ()), strict=False)
        ]
        steps = None if draws is None else (int(draws[0]), int(draws[1]))
        if steps is not None:
            np.array(steps, np.uint32)
    except (TypeError, ValueError, AttributeError, OverflowError, LookupError) as error:
        raise DataError(f"The state of the seeds is malformed: {error}") from error
    for v, value in new:
        v.assign(value)
    if steps is not None and hasattr(model, "_draws"):
        model._draws = steps


def _states(part: Any) -> list[Any]:
    transient = getattr(part, "_transient_variables", None)
    return [] if transient is None else list(transient())
