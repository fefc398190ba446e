"""How a case is put to a package: outputs, then gradients of their weighted sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.peer._case import Case

__all__ = ["Gradients", "Outcome", "play"]

Gradients = Callable[[Callable[..., Any], list[Any]], list[Any]]
"""Gradients of a function that returns a scalar, for each of some tensors."""

Outcome = dict[str, Any]
"""Arrays and words by name: ``y0``, ``y1``... of outputs, ``g0``... of gradients."""


def play(keras: Any, case: Case, precision: str, gradients: Gradients) -> Outcome:
    """Ask a package.

    Args:
        keras: The package.
        case: The question.
        precision: ``"float32"`` or ``"float64"``.
        gradients: How this package differentiates.

    Returns:
        The answer.
    """
    keras.config.set_floatx(precision)
    try:
        arrays = case.arrays(precision)
        # Text stays on the host.
        tensors = [
            a if a.dtype.kind == "U" else keras.ops.convert_to_tensor(a) for a in arrays
        ]
        prepared = case.prepare(keras, case)
        outputs = _flat(keras, prepared.call(*tensors))
        after = _flat(keras, prepared.after())
        answer = {f"y{i}": _plain(keras, y) for i, y in enumerate([*outputs, *after])}
        chosen = [i for i, d in enumerate(case.draws()) if d.differentiable]
        sums = [i for i, y in enumerate(outputs) if _weighable(keras, y)]
        if not case.gradient or not sums or not (chosen or prepared.variables):
            return answer
        n = len(prepared.variables)

        def loss(*values: Any) -> Any:
            full = list(tensors)
            for i, value in zip(chosen, values[n:], strict=True):
                full[i] = value
            mapping = list(zip(prepared.variables, values[:n], strict=True))
            with keras.StatelessScope(state_mapping=mapping):
                found = _flat(keras, prepared.call(*full))
            return _weighted(keras, [found[i] for i in sums], precision)

        values = [v.value for v in prepared.variables] + [tensors[i] for i in chosen]
        for i, g in enumerate(gradients(loss, values)):
            zero = np.zeros(tuple(values[i].shape), precision)
            answer[f"g{i}"] = zero if g is None else _plain(keras, g)
        return answer
    finally:
        keras.config.set_floatx("float32")


def _flat(keras: Any, outputs: Any) -> list[Any]:
    return [y for y in keras.tree.flatten(outputs) if y is not None]


def _plain(keras: Any, y: Any) -> Any:
    if isinstance(y, str):
        return y
    if isinstance(y, bool | int | float | np.generic | np.ndarray):
        return np.asarray(y)
    return np.asarray(keras.ops.convert_to_numpy(y))


def _weighable(keras: Any, y: Any) -> bool:
    if not keras.ops.is_tensor(y):
        return False
    return str(keras.backend.standardize_dtype(y.dtype)).startswith(
        ("float", "complex")
    )


def _weighted(keras: Any, outputs: list[Any], precision: str) -> Any:
    """Return the sum of all numbers, each times a cosine: no two weights are equal."""
    ops = keras.ops
    total = 0.0
    for y in outputs:
        size = int(np.prod(y.shape))
        weight = ops.convert_to_tensor(
            np.cos(np.arange(size)).astype(precision).reshape(tuple(y.shape))
        )
        if "complex" in str(y.dtype):
            total = (
                total + ops.sum(ops.real(y) * weight) + ops.sum(ops.imag(y) * weight)
            )
        else:
            total = total + ops.sum(y * weight)
    return total
