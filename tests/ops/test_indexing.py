"""Keys, gathers, scatters and segments against NumPy, on every backend."""

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

KEYS = [
    0,
    -1,
    (1, 2),
    (1, 2, 3),
    (slice(None), -1),
    (slice(1, 3), None, slice(None, None, 2)),
    (..., slice(None, None, -1)),
    slice(4, 1, -2),
    slice(3, 1),
    (Ellipsis, None),
    np.int64(2),
    [0, 2],
    np.array([-1, 0]),
    np.array([], np.int32),
    (slice(None), [0, 2]),
    ([0, 2], [1, 3]),
    ([0, 2], slice(None), [1, 3]),
    (0, slice(None), [1, 3]),
    (slice(None), [0, 2], [1, 3]),
    (slice(None), [[0], [2]], [1, 3]),
    (None, [1, 2], slice(None, None, -1)),
    X[:, 0, 0] > 0,
    X > 0,
    (slice(None), X[0] > 0),
]


@pytest.mark.parametrize("key", KEYS)
def test_get_item_means_what_it_means_in_numpy(backend: Backend, key) -> None:
    out = check_abstract(lambda x: ops.get_item(x, key), X)
    check_values(out, X[key], ulp=0, dtype="float32")


def test_get_item_with_tensors_of_indices(backend: Backend) -> None:
    rows, columns = tensor(np.array([0, -2], np.int32)), tensor(np.array([1, 3]))
    out = check_abstract(lambda x: ops.get_item(x, (slice(None), rows, columns)), X)
    check_values(out, X[:, [0, -2], [1, 3]])
    check_values(ops.get_item(X, tensor(2)), X[2])


@pytest.mark.parametrize(
    "indices, axis",
    [([[0, 1], [-1, 2]], 1), (2, 0), (7, None), ([3, -1], None), ([], 2)],
)
def test_take(backend: Backend, indices, axis) -> None:
    indices = np.array(indices, np.int32)
    out = check_abstract(lambda x, i: ops.take(x, i, axis), X, indices)
    check_values(out, np.take(X, indices, axis), ulp=0)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint32", "int64"])
def test_take_accepts_every_integer_dtype(backend: Backend, dtype) -> None:
    long = np.arange(300, dtype=np.float32)
    wrap = 0 if dtype.startswith("u") else -1
    indices = np.array([3, 100, wrap], dtype)
    check_values(ops.take(long, indices), long[[3, 100, wrap]])


TAKEN_ALONG = [
    (np.argsort(X, 1), 1),
    (np.zeros((1, 2, 6), np.int32), 1),
    (np.array([[[0], [-1], [2], [5], [-6]]]), -1),
]


@pytest.mark.parametrize("indices, axis", TAKEN_ALONG)
def test_take_along_axis(backend: Backend, indices, axis) -> None:
    out = check_abstract(lambda x, i: ops.take_along_axis(x, i, axis), X, indices)
    check_values(out, np.take_along_axis(X, indices, axis), ulp=0)


@pytest.mark.parametrize("traced", [False, True])
def test_slice_and_slice_update(backend: Backend, traced) -> None:
    start = tensor(np.array([1, 2, -3], np.int32)) if traced else (1, 2, -3)
    block = ops.slice(X, start, (2, 2, 3))
    check_values(block, X[1:3, 2:4, 3:], ulp=0)
    expected = X.copy()
    expected[1:3, 2:4, 3:] = 7
    check_values(ops.slice_update(X, start, np.full((2, 2, 3), 7)), expected, ulp=0)


def test_a_traced_start_moves_so_that_the_block_fits(backend: Backend) -> None:
    start = tensor(np.array([3, 0, 5], np.int32))
    check_values(ops.slice(X, start, (2, 5, 3)), X[2:, :, 3:], ulp=0)


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


def test_inputs_are_not_changed(backend: Backend) -> None:
    x = tensor(X)
    ops.scatter_update(x, [[0]], np.ones((1, 5, 6)), "add")
    ops.slice_update(x, (0, 0, 0), np.ones((1, 1, 1)))
    check_values(x, X, ulp=0)


def test_scatter_adds_into_zeros(backend: Backend) -> None:
    out = ops.scatter([[0], [2], [0]], np.array([1.0, 2.0, 3.0], np.float32), (4,))
    check_values(out, np.array([4.0, 0.0, 2.0, 0.0]), dtype="float32")


def test_unravel_index(backend: Backend) -> None:
    out = ops.unravel_index([5, 11, -1], (3, 4))
    check_values(out, np.unravel_index([5, 11, 11], (3, 4)), dtype="int32")


def test_extract_sequences(backend: Backend) -> None:
    out = check_abstract(lambda x: ops.extract_sequences(x, 3, 2), X)
    check_values(out, np.stack([X[..., 0:3], X[..., 2:5]], -2), ulp=0)


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
    "ints and steps": (lambda x: ops.get_item(x * x, (1, slice(3, 0, -2), None)), M),
    "wide steps": (lambda x: ops.get_item(x * x, (slice(0, 3, 2), slice(1, 4, 2))), M),
    "index tensors": (lambda x: ops.get_item(x * x, ([0, 2, 0], [1, 3, 1])), M),
    "mask": (lambda x: ops.get_item(x * x, M > 0), M),
    "take rows": (lambda x: ops.take(x * x, [[0, 1], [2, 0]], 0), M),
    "take columns": (lambda x: ops.take(x * x, [[0, 1, 0], [2, -1, 0]], 1), M),
    "take values": (lambda x: ops.take(x * x, [1, 1, -1]), M),
    "take along": (lambda x: ops.take_along_axis(x * x, [[0, -1, 0, 2]], 0), M),
    "slice": (lambda x: ops.slice(x * x, (0, 1), (2, 2)), M),
    "slice traced": (lambda x: ops.slice(x * x, tensor([1, 1]), (2, 2)), M),
    "segment_sum": (lambda x: ops.segment_sum(x * x, IDS, 3), ROWS[:4]),
    "segment_max": (lambda x: ops.segment_max(x, [0, 1, 0, 1], 2), ROWS[:4]),
    "segment_min": (lambda x: ops.segment_min(x, [0, 1, 0, 1], 2), ROWS[:4]),
    "segment_prod": (lambda x: ops.segment_prod(x, IDS, 3), ROWS[:4]),
}


SECOND_ORDER = ("wide steps", "take columns", "segment_max")


@pytest.mark.parametrize("case", GRADIENTS)
def test_gradients(backend: Backend, case) -> None:
    fn, x = GRADIENTS[case]
    check_gradient(fn, [x], order=2 if case in SECOND_ORDER else 1)


UPDATES = {
    "replace": lambda x, u: ops.scatter_update(x * x, PLACES[:2], u[:2] * u[:2]),
    "add": lambda x, u: ops.scatter_update(x * x, PLACES, u * u, "add"),
    "max": lambda x, u: ops.scatter_update(x, PLACES, u, "max"),
    "min": lambda x, u: ops.scatter_update(x, PLACES, u, "min"),
    "mul": lambda x, u: ops.scatter_update(x, PLACES, u, "mul"),
    "slice": lambda x, u: ops.slice_update(x * x, (1, 0), u[:2] * u[:2]),
    "slice traced": lambda x, u: ops.slice_update(x * x, tensor([1, 0]), u[:2]),
}


@pytest.mark.parametrize("case", UPDATES)
def test_gradients_of_updates(backend: Backend, case) -> None:
    check_gradient(UPDATES[case], [M, ROWS], order=2 if case == "mul" else 1)


def test_gradient_of_products_with_zeros(backend: Backend) -> None:
    rows = ROWS.copy()
    rows[0, :2] = rows[2, 1] = 0
    check_gradient(UPDATES["mul"], [M, rows])


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
    (ArgumentError, lambda: ops.take(X, 4, 0), "index 4 for axis 0 of size 4"),
    (ArgumentError, lambda: ops.take(X, [0, -6], 1), "index -6 for axis 1"),
    (ArgumentError, lambda: ops.take(X[0], [0, 5], 0), "index 5 for axis 0"),
    (ArgumentError, lambda: ops.take(X[:0], 0, 0), "empty axis"),
    (ArgumentError, lambda: ops.get_item(X, 4), "index 4 for axis 0"),
    (ArgumentError, lambda: ops.get_item(X, ([0], [5])), "index 5 for axis 1"),
    (ArgumentError, lambda: ops.get_item(X, (0,) * 4), "4 indices"),
    (DTypeError, lambda: ops.get_item(X, [0.5]), "float"),
    (DTypeError, lambda: ops.take(X, [0.5]), "expected integers"),
    (ArgumentError, lambda: ops.take_along_axis(M, [[9]], 1), "index 9 for axis 1"),
    (ShapeError, lambda: ops.take_along_axis(M, [0], 1), "2 axes"),
    (ArgumentError, lambda: ops.scatter_update(M, [[0, 4]], [1.0], "add"), "index 4"),
    (ShapeError, lambda: ops.scatter_update(M, [[0]], [1.0, 2.0]), "(1, 4)"),
    (ShapeError, lambda: ops.scatter_update(M, [[0, 0, 0]], [1.0]), "K"),
    (ArgumentError, lambda: ops.scatter_update(M, [[0]], M[:1], "sum"), "'sum'"),
    (ArgumentError, lambda: ops.slice(M, (2, 0), (2, 2)), "axis 0 is too short"),
    (ArgumentError, lambda: ops.slice(M, (0,), (2, 2)), "2 axes"),
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
