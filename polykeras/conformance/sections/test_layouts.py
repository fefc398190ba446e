"""Layouts: views, arrays of NumPy's, and small shapes give what plain tensors give.

Views are made by an op of the backend's own, so that a library with strides has them
and one without passes by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import pytest

from polykeras import ops
from polykeras.backend import Array, Backend, active
from polykeras.conformance._case import Trial
from polykeras.conformance._checks import check_trial
from polykeras.conformance._programs import run_among
from polykeras.conformance._trials import elementwise, plainest, taking_arrays


def _strided(x: Array) -> Any:
    """Every other entry of a tensor twice as long in each axis."""
    for axis in range(x.ndim):
        x = np.repeat(x, 2, axis)
    return _tensor(x)[(slice(None, None, 2),) * x.ndim]


def _reversed(x: Array) -> Any:
    axes = tuple(range(x.ndim))
    return ops.flip(_tensor(np.flip(x)), axes) if axes else _tensor(x)


def _transposed(x: Array) -> Any:
    """The transpose of a tensor that holds its transpose."""
    if x.ndim < 2:
        return _tensor(x)
    return ops.transpose(_tensor(np.ascontiguousarray(x.T)))


def _of_broadcast(x: Array) -> Any:
    """One entry of a tensor that repeats its values without holding them twice."""
    return ops.broadcast_to(_tensor(x), (3, *x.shape))[1]


def _tensor(x: Array) -> Any:
    return active().convert_to_tensor(x)


VIEWS: Final[dict[str, Callable[[Array], Any]]] = {
    "strided": _strided,
    "reversed": _reversed,
    "transposed": _transposed,
    "broadcast": _of_broadcast,
}


def _equal(x: Array, y: Array) -> bool:
    nan = (x != x) & (y != y)  # noqa: PLR0124 in any dtype, small floats included
    return x.shape == y.shape and bool(np.all((x == y) | nan))


@pytest.mark.parametrize(
    "view",
    [
        "strided",
        "transposed",
        pytest.param("reversed", marks=pytest.mark.exhaustive),
        pytest.param("broadcast", marks=pytest.mark.exhaustive),
    ],
)
@pytest.mark.trials(of=plainest)
def test_views(backend: Backend, trial: Trial, view: str) -> None:
    plain = trial.values()
    tensors = [VIEWS[view](x) for x in plain]
    for x, y in zip(tensors, plain, strict=True):
        assert _equal(backend.to_numpy(x), y), (
            f"{trial}: the {view} view has other values"
        )
    check_trial(backend, trial, trial.run(tensors), what=view)


def _stepped(x: Array) -> Array:
    wide = np.repeat(x[..., None], 2, -1)
    return wide[..., 0]


def _read_only(x: Array) -> Array:
    x = x.copy()
    x.flags.writeable = False
    return x


ARRAYS: Final[dict[str, Callable[[Array], Array]]] = {
    "plain": lambda x: x,
    "stepped": _stepped,
    "reversed": lambda x: np.flip(np.flip(x).copy()),
    "fortran": lambda x: np.array(x, order="F"),
    "read-only": _read_only,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
}


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.trials(of=taking_arrays)
def test_arrays(backend: Backend, trial: Trial, kind: str) -> None:
    """Arrays of NumPy's, however they lie in memory, are taken as arguments."""
    given = [ARRAYS[kind](x) if x.dtype.kind != "V" else x for x in trial.values()]
    check_trial(backend, trial, trial.run(given), what=f"{kind} arrays")


Shapes: TypeAlias = tuple[tuple[int, ...], ...]
SHAPES: Final[tuple[Shapes, ...]] = (
    ((), ()),
    ((0,), (0,)),
    ((2, 0, 3), (2, 0, 3)),
    ((1,), (1,)),
    ((1, 1, 1), (1, 1, 1)),
    ((0, 1), (1, 1)),
    ((33,), (33,)),
)


@pytest.mark.parametrize("shapes", SHAPES, ids=lambda s: "x".join(map(str, s[0])))
@pytest.mark.trials(of=elementwise)
def test_shapes(backend: Backend, trial: Trial, shapes: Shapes) -> None:
    """Elementwise ops work in every shape: empty, without axes, of size 1."""
    forms = [(trial, other) for other in SHAPES]
    results = run_among((trial, shapes), forms, _resized)
    _, values = _resized((trial, shapes))
    check_trial(backend, trial, results, values=values, what=str(shapes))


def _resized(form: tuple[Trial, Shapes]) -> tuple[Trial, list[Array]]:
    trial, shapes = form
    values = zip(trial.values(), [*shapes, ()], strict=False)
    return trial, [np.resize(x, shape) for x, shape in values]
