"""Compare what a backend gave with what it should give, and say by how much it errs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from polykeras.backend import Array, Backend
from polykeras.conformance._bounds import Bound, errors_in_ulp
from polykeras.conformance._case import Trial

__all__ = ["Measure", "check_array", "check_same", "check_trial"]

Measure: TypeAlias = Callable[[str, str, float, float], None]
"""Takes op, dtype, error and bound in ULP, for the report."""


def check_trial(
    backend: Backend,
    trial: Trial,
    results: list[Any],
    measure: Measure | None = None,
    *,
    values: Sequence[Array] | None = None,
    what: str = "",
) -> None:
    """Compare the results of a call with its reference.

    Args:
        backend: Whose tensors they are.
        trial: The call.
        results: What `Trial.run` returned.
        measure: Is told the largest error.
        values: Of the tensors, if they are not those that the sample draws.
        what: How the call differs from that of the sample.

    Raises:
        AssertionError: With op, dtype, shape, and the error against its bound.
    """
    expected, names = trial.expected(values), trial.case.result_dtypes(trial.dtype)
    what = f"{trial}{f' ({what})' if what else ''}"
    assert len(results) == len(expected), (
        f"{what}: {len(results)} results, expected {len(expected)}"
    )
    scale = trial.scale(values)
    for i, (x, want) in enumerate(zip(results, expected, strict=True)):
        name = names[i] if len(names) > 1 else names[0]
        assert backend.dtype_name(x) == name, (
            f"{what}: result {i} has dtype {backend.dtype_name(x)}, expected {name}"
        )
        error = check_array(
            backend.to_numpy(x), want, name, trial.case.bound, scale, what
        )
        if measure is not None:
            measure(trial.case.op, trial.dtype, error, trial.case.bound.of(name))


def check_same(found: Sequence[Array], expected: Sequence[Array], what: str) -> None:
    """Assert that results are equal to the last bit, NaN included.

    Args:
        found: Arrays.
        expected: Arrays.
        what: What was computed, for the message.
    """
    assert len(found) == len(expected), (
        f"{what}: {len(found)} results, expected {len(expected)}"
    )
    for i, (x, y) in enumerate(zip(found, expected, strict=True)):
        assert x.dtype == y.dtype, (
            f"{what}: result {i} has dtype {x.dtype}, expected {y.dtype}"
        )
        assert x.shape == y.shape, (
            f"{what}: result {i} has shape {x.shape}, expected {y.shape}"
        )
        # Bytes: bfloat16 has no comparison of NaN, and -0.0 is not 0.0 here.
        if x.tobytes() != y.tobytes():
            differ = np.asarray(x != y).reshape(-1)
            at = int(np.argmax(differ))
            raise AssertionError(
                f"{what}: {int(differ.sum())} of {x.size} entries of result {i} "
                f"({x.dtype}, shape {x.shape}) differ, first entry {at}: got "
                f"{x.reshape(-1)[at]!r}, expected {y.reshape(-1)[at]!r}"
            )


def check_array(
    found: Array, expected: Any, dtype: str, bound: Bound, scale: Any, what: str
) -> float:
    """Compare an array with true values and return its largest error in ULP.

    Args:
        found: The result.
        expected: The true values in 64 bits.
        dtype: The dtype of the result.
        bound: The allowed error.
        scale: Magnitude of terms that cancel.
        what: What was computed, for the message.

    Raises:
        AssertionError: If the shape differs or the error passes the bound.
    """
    want = np.asarray(expected)
    assert found.shape == want.shape, (
        f"{what}: the result has shape {found.shape}, expected {want.shape}"
    )
    errors = errors_in_ulp(found, want, dtype, scale)
    worst = float(np.max(errors, initial=0.0))
    allowed = bound.of(dtype)
    if worst > allowed:
        at = np.unravel_index(int(np.argmax(errors)), errors.shape)
        place = "" if not at else f" at index {tuple(int(i) for i in at)}"
        raise AssertionError(
            f"{what}: {worst:.3g} ULP of {dtype}{place}, allowed {allowed:g} "
            f"({bound.why}); got {found[at]!r}, expected {want[at]!r}"
        )
    return worst
