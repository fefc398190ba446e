"""Dtypes: the whole promotion table, Python's numbers included."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pytest

from polykeras import dtypes, ops
from polykeras.backend import REFERENCE, Backend, active, use_backend
from polykeras.conformance._case import Trial
from polykeras.conformance._programs import is_wide, run_among
from polykeras.conformance._trials import promoting
from polykeras.errors import DTypeError

SCALARS: Final[dict[str, Any]] = {
    "bool": True,
    "int*": 1,
    "float*": 1.5,
    "complex*": 1j,
}
# A pair for each way in which two kinds meet.
MEETINGS: Final = (
    ("bool", "int32"),
    ("uint8", "int8"),
    ("int64", "int32"),
    ("int64", "float16"),
    ("int32", "float32"),
    ("bfloat16", "float16"),
    ("float32", "float64"),
    ("float16", "float32"),
    ("float64", "complex64"),
    ("int8", "int*"),
    ("int32", "float*"),
    ("float16", "float*"),
    ("bfloat16", "int*"),
    ("uint8", "bool"),
)
ALL_PAIRS: Final = tuple(
    (a, b) for i, a in enumerate(dtypes.ALL) for b in (*dtypes.ALL[i:], *SCALARS)
)


def _argument(name: str, shape: tuple[int, ...]) -> Any:
    if name.endswith("*"):
        return SCALARS[name]
    # Ones are in the domain of every op.
    return active().convert_to_tensor(np.ones(shape), name)


def _has(backend: Backend, names: tuple[str, ...]) -> bool:
    known = backend.capabilities
    return all(
        (n in known.dtypes or n.endswith("*"))
        and (known.complex or not n.startswith("complex"))
        for n in (*names, dtypes.result_type(*names))
    )


def _joined(names: tuple[str, str]) -> str | None:
    try:
        return dtypes.result_type(*names)
    except DTypeError:
        return None


@pytest.mark.parametrize("names", ALL_PAIRS, ids=",".join)
def test_table(backend: Backend, names: tuple[str, str]) -> None:
    """Addition, whose result has the dtype of the table, both ways round."""
    expected = _joined(names)
    if expected is None or not _has(backend, names):
        return
    for first, second in (names, names[::-1]):
        a, b = _argument(first, (2,)), _argument(second, (2,))
        found = backend.dtype_name(ops.add(a, b))
        assert found == expected, (
            f"add of {first} and {second}: the result has dtype {found}, "
            f"expected {expected}"
        )


def _ones(form: tuple[Trial, tuple[str, ...]]) -> tuple[Trial, list[Any]]:
    """Return a trial and its arguments; ones are in the domain of every op."""
    trial, names = form
    values = [
        SCALARS[name]
        if name.endswith("*")
        else np.ones(draw.shape, dtypes.as_numpy_dtype(name))
        for name, draw in zip(names, trial.sample.draws, strict=True)
    ]
    return trial, values


def _outcome(
    trial: Trial, names: tuple[str, ...], alike: Sequence[tuple[str, ...]]
) -> list[str]:
    """Return the dtypes of the results, or the error.

    Args:
        trial: The op.
        names: Of the dtypes of its arguments.
        alike: Names that one program may serve, these among them.
    """
    forms = [(trial, other) for other in alike]
    try:
        results = run_among((trial, names), forms, _ones)
    except DTypeError as error:
        return [str(error)]
    return [active().dtype_name(x) for x in results]


@lru_cache(maxsize=64)
def _expected(trial: Trial, names: tuple[str, ...]) -> list[str]:
    with use_backend(REFERENCE):
        return _outcome(trial, names, [names])


def _meetings(backend: Backend, trial: Trial) -> list[tuple[str, ...]]:
    """Return the dtypes in which the arguments of an op may meet."""
    found = []
    for names in MEETINGS:
        if not trial.case.elementwise and any(n.endswith("*") for n in names):
            continue  # a number has no shape that such an op could take
        in_case = any(map(dtypes.is_complex, trial.case.dtypes))
        is_complex = dtypes.is_complex(dtypes.result_type(*names))
        if _has(backend, names) and (in_case or not is_complex):
            found.append((*names, *names[:1] * (len(trial.sample.draws) - 2)))
    return found


@pytest.mark.parametrize("names", MEETINGS, ids=",".join)
@pytest.mark.trials(of=promoting)
def test_promotion(backend: Backend, trial: Trial, names: tuple[str, str]) -> None:
    """Every op that promotes agrees with the reference backend, refusals included."""
    meetings = _meetings(backend, trial)
    given = (*names, *names[:1] * (len(trial.sample.draws) - 2))
    if given not in meetings:
        return
    expected, joined = _expected(trial, given), dtypes.result_type(*names)
    # A refusal would keep a program for several from being made.
    taken = [m for m in meetings if _expected(trial, m)[0] in dtypes.ALL]
    alike = [m for m in taken if is_wide(m) == is_wide(given)]
    found = _outcome(trial, given, alike if given in taken else [given])
    assert found == expected, (
        f"{trial.case.op} of {', '.join(given)}: got {found}, expected {expected}"
    )
    if joined in trial.case.dtypes:
        stated = trial.case.result_dtypes(joined)
        assert found == stated, (
            f"{trial.case.op} of {', '.join(given)}: got {found}, the table and the "
            f"case say {stated}"
        )
