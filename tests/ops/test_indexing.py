"""Gathers, scatters and segments: what the conformance suite does not test of them."""

import numpy as np
import pytest

from polykeras import ops
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    raised,
    tensor,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5, 6)).astype(np.float32)
M = RNG.normal(size=(3, 4))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint32", "int64"])
def test_take_accepts_every_integer_dtype(backend: Backend, dtype) -> None:
    long = np.arange(300, dtype=np.float32)
    wrap = 0 if dtype.startswith("u") else -1
    indices = np.array([3, 100, wrap], dtype)
    check_values(ops.take(long, indices), long[[3, 100, wrap]])


REDUCTIONS = {
    "add": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "mul": np.multiply,
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_scatter_update_combines_duplicates(
    backend: Backend, reduction, depth, dtype
) -> None:
    rng = np.random.default_rng(depth)
    sizes = np.array(X.shape[:depth])
    indices = rng.integers(-sizes, sizes, size=(3, 5, depth))
    x = (4 * X).astype(dtype)
    updates = (4 * rng.normal(size=(3, 5, *X.shape[depth:]))).astype(dtype)
    expected = x.astype(np.float64 if dtype == "float32" else np.int32)
    where = tuple(np.moveaxis(indices, -1, 0))
    REDUCTIONS[reduction].at(expected, where, updates.astype(expected.dtype))
    out = check_abstract(
        lambda *a: ops.scatter_update(*a, reduction), x, indices, updates
    )
    check_values(out, expected, ulp=16, scale=16, dtype=dtype)


def test_scatter_update_replaces_and_broadcasts_one_value(backend: Backend) -> None:
    expected = X.copy()
    expected[[0, 2]] = 1
    indices = np.array([[0], [-2]])
    check_values(ops.scatter_update(X, indices, np.ones((2, 5, 6))), expected)
    check_values(ops.scatter_update(X, indices, 1.0), expected)


SEGMENTS = {
    "segment_sum": (np.add, 0.0),
    "segment_prod": (np.multiply, 1.0),
    "segment_max": (np.maximum, -np.inf),
    "segment_min": (np.minimum, np.inf),
}


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("x", [X, X[:, 0, 0]])
def test_segments_ignore_ids_outside(backend: Backend, name, x) -> None:
    ufunc, neutral = SEGMENTS[name]
    ids = np.array([1, 0, 1, 9], np.int32)
    empty = np.full(x.shape[1:], neutral)
    expected = np.stack([x[1], ufunc(x[0], x[2]), empty])
    out = check_abstract(lambda d, i: getattr(ops, name)(d, i, 3), x, ids)
    check_values(out, expected, ulp=2, scale=4, dtype="float32")
    kept = getattr(ops, name)(x[:3], np.array([0, -1, 1], np.int32))
    check_values(kept, np.stack([x[0], x[2]]), ulp=0)


def test_an_empty_segment_of_integers_has_the_limit_of_the_dtype(
    backend: Backend,
) -> None:
    data = np.array([3], np.int32)
    check_values(ops.segment_max(data, [1], 2), np.array([-(2**31), 3]), dtype="int32")
    check_values(ops.segment_min(data, [1], 2), np.array([2**31 - 1, 3]), dtype="int32")


IDS = np.array([0, 2, 0, 9], np.int32)
PLACES = np.array([[0], [2], [0], [-1], [2]], np.int32)
ROWS = np.random.default_rng(1).normal(size=(5, 4))
GRADIENTS = {
    "segment_sum": (lambda x: ops.segment_sum(x * x, IDS, 3), ROWS[:4]),
    "segment_max": (lambda x: ops.segment_max(x, [0, 1, 0, 1], 2), ROWS[:4]),
    "segment_min": (lambda x: ops.segment_min(x, [0, 1, 0, 1], 2), ROWS[:4]),
    "segment_prod": (lambda x: ops.segment_prod(x, IDS, 3), ROWS[:4]),
}


SECOND_ORDER = ("segment_max",)


@pytest.mark.parametrize("case", GRADIENTS)
def test_gradients(backend: Backend, case) -> None:
    fn, x = GRADIENTS[case]
    check_gradient(fn, [x], order=2 if case in SECOND_ORDER else 1)


def test_gradient_of_products_with_zeros(backend: Backend) -> None:
    rows = ROWS.copy()
    rows[0, :2] = rows[2, 1] = 0
    check_gradient(lambda x, u: ops.scatter_update(x, PLACES, u, "mul"), [M, rows])


def test_ties_share_the_gradient_evenly(backend: Backend) -> None:
    from polykeras.autodiff import vjp

    x, u = np.array([1.0, 5.0]), np.array([1.0, 1.0, 0.0])
    places = np.array([[0], [0], [1]])
    _, pull = vjp(
        lambda a, b: ops.scatter_update(a, places, b, "max"), tensor(x), tensor(u)
    )
    check_values(
        list(pull(tensor(np.array([3.0, 1.0])))), [np.ones(2), np.array([1, 1, 0])]
    )


ERRORS = [
    (ShapeError, lambda: ops.segment_sum(M, [0, 1], 2), "(2,)"),
    (DTypeError, lambda: ops.segment_max(M > 0, [0, 1, 0], 2), "bool"),
]


@pytest.mark.parametrize("kind, call, part", ERRORS)
def test_errors_say_what_came(backend: Backend, kind, call, part) -> None:
    assert part in raised(kind, call)


def test_a_mask_must_be_known_when_shapes_are_computed(backend: Backend) -> None:
    from polykeras.ops._abstract import Spec, evaluate

    mask = Spec((4,), "bool")
    message = raised(ArgumentError, evaluate, lambda m: ops.get_item(X, m), [mask])
    assert "ops.where" in message
