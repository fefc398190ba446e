"""Sorting, searching, counting and sets."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from polykeras.autodiff import vjp
from polykeras.backend import use_backend
from polykeras.errors import (
    ArgumentError,
    DTypeError,
    OperationNotSupported,
    PolykerasError,
    ShapeError,
)
from polykeras.ops._abstract import Spec, evaluate
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    host,
    raised,
    tensor,
)

RNG = np.random.default_rng(5)
X = RNG.normal(size=(3, 4, 5)).astype(np.float32)
TIES = RNG.integers(-2, 3, (6, 8))
HOLES = np.where(RNG.uniform(size=X.shape) < 0.3, np.nan, X).astype(np.float32)
DTYPES = [
    "bool",
    "int8",
    "uint8",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "bfloat16",
    "float16",
    "float32",
    "float64",
]


@pytest.mark.parametrize("axis", [-1, 0, 1, None], ids=str)
@pytest.mark.parametrize("x", [X, HOLES, TIES], ids=["floats", "nan", "ties"])
def test_sort(backend, x, axis):
    x = x.astype(np.int32) if x.dtype == np.int64 else x
    check_values(ops.sort(tensor(x), axis=axis), np.sort(x, axis), ulp=0)
    expected = np.argsort(x, axis, kind="stable")
    check_values(ops.argsort(tensor(x), axis=axis), expected, dtype="int32")


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(backend, dtype):
    values = np.array([3, 0, 3, 1, 0])
    if dtype == "bool":
        values = values > 0
    x = tensor(values, dtype)
    check_values(ops.sort(x), np.sort(values), dtype=dtype)
    check_values(ops.argsort(x), np.argsort(values, kind="stable"), dtype="int32")
    top, index = ops.top_k(x, 3)
    order = np.argsort(-values.astype(int), kind="stable")[:3]
    check_values(top, values[order], dtype=dtype)
    check_values(index, order, dtype="int32")
    check_values(ops.top_k(x, 1)[1], order[:1], dtype="int32")
    check_values(ops.nonzero(x)[0], np.nonzero(values)[0], dtype="int32")
    found = ops.searchsorted(ops.sort(x), x, side="right")
    expected = np.searchsorted(np.sort(values), values, side="right")
    check_values(found, expected, dtype="int32")
    check_values(ops.unique(x), np.unique(values), dtype=dtype)
    check_values(ops.isin(x, x[:1]), np.isin(values, values[:1]), dtype="bool")


def test_scalars_and_empty_tensors(backend):
    assert host(ops.sort(2.0)).tolist() == [2.0]
    check_values(ops.sort(tensor(np.zeros((0, 3)))), np.zeros((0, 3)))
    values, index = ops.top_k(tensor(np.zeros((0, 3))), 2)
    assert tuple(values.shape) == tuple(index.shape) == (0, 2)
    values, index = ops.top_k(tensor(X), 0)
    assert tuple(values.shape) == (3, 4, 0)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k(backend, k):
    for x in (X, TIES.astype(np.float32)):
        order = np.argsort(-x, -1, kind="stable")[..., :k]
        values, index = ops.top_k(tensor(x), k)
        check_values(values, np.take_along_axis(x, order, -1), ulp=0)
        check_values(index, order)


def test_top_k_puts_nan_first(backend):
    x = np.array([1.0, np.nan, 5.0, -np.nan, np.inf], np.float32)
    values, index = ops.top_k(tensor(x), 3)
    assert host(index).tolist() == [1, 3, 4]
    assert np.isnan(host(values)[:2]).all()
    assert host(ops.top_k(tensor(x), 1)[1]).tolist() == [1]


def test_argpartition(backend):
    order = host(ops.argpartition(tensor(X), 2, axis=1))
    parted = np.take_along_axis(X, order, 1)
    np.testing.assert_array_equal(parted[:, 2], np.sort(X, 1)[:, 2])
    assert (parted[:, :2] <= parted[:, 2:3]).all()
    assert (parted[:, 3:] >= parted[:, 2:3]).all()


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(backend, side):
    edges = np.array([-1.0, 0.0, 0.0, 2.0, np.inf], np.float32)
    values = np.array([[-np.inf, -1, 0], [1, np.inf, np.nan]], np.float32)
    actual = ops.searchsorted(tensor(edges), tensor(values), side=side)
    check_values(actual, np.searchsorted(edges, values, side), dtype="int32")
    assert int(ops.searchsorted([1, 3, 5], 4)) == 2


def test_digitize(backend):
    edges = np.array([0.0, 1.0, 2.5], np.float32)
    values = np.array([-1.0, 0.0, 0.5, 1.0, 2.5, 9.0], np.float32)
    actual = ops.digitize(tensor(values), edges)
    check_values(actual, np.digitize(values, edges), dtype="int32")


def test_nonzero(backend):
    x = np.array([[0.0, 2.0, np.nan], [0.0, 0.0, -1.0]], np.float32)
    for found, wanted in zip(ops.nonzero(tensor(x)), np.nonzero(x), strict=True):
        check_values(found, wanted, dtype="int32")


def test_in_top_k(backend):
    scores = np.array(
        [[0.1, 0.6, 0.3], [0.5, 0.5, 0.1], [np.nan, 1, 2], [1, 2, 3], [1, 2, 3]],
        np.float32,
    )
    targets = np.array([2, 1, 0, 3, -1])
    actual = ops.in_top_k(tensor(targets), tensor(scores), 1)
    check_values(actual, np.array([False, True, False, False, False]), dtype="bool")
    actual = ops.in_top_k(tensor(targets), tensor(scores), 2)
    check_values(actual, np.array([True, True, False, False, False]))


def test_bincount(backend):
    x, w = np.array([1, 3, 3, 0]), np.array([0.5, 1, 2, 4], np.float32)
    check_values(ops.bincount(tensor(x)), np.bincount(x), dtype="int32")
    actual = ops.bincount(tensor(x), weights=tensor(w), minlength=6)
    check_values(actual, np.bincount(x, w, 6), dtype="float32")
    rows = np.array([[0, 1, 1], [2, 2, 2]])
    actual = ops.bincount(tensor(rows), minlength=2)
    check_values(actual, np.array([[1, 2, 0], [0, 0, 3]]), dtype="int32")
    check_values(ops.bincount(tensor(x[:0]), minlength=2), np.zeros(2, int))


def test_histogram(backend):
    for data, bins, span in (
        (X, 10, None),
        (X, 4, (-1.0, 0.5)),
        (TIES.astype(np.int32), 3, None),
        (np.ones(4, np.float32), 2, None),
        (np.zeros(0, np.float32), 2, None),
    ):
        counts, edges = ops.histogram(tensor(data), bins, range=span)
        wanted, wanted_edges = np.histogram(data, bins, span)
        check_values(counts, wanted, dtype="int32")
        check_values(edges, wanted_edges, ulp=4, scale=3.0, dtype="float32")


@pytest.mark.parametrize("invert", [False, True])
def test_isin(backend, invert):
    x1, x2 = TIES, np.array([[0, 7], [2, 2]])
    actual = ops.isin(tensor(x1), tensor(x2), invert=invert)
    check_values(actual, np.isin(x1, x2, invert=invert), dtype="bool")
    x1 = RNG.integers(0, 5000, 2000).astype(np.float32)
    x2 = np.append(RNG.integers(0, 5000, 300), np.nan).astype(np.float32)
    x1[3] = np.nan
    actual = ops.isin(tensor(x1), tensor(x2), invert=invert)
    check_values(actual, np.isin(x1, x2, invert=invert))
    check_values(ops.isin(tensor(x1), tensor(x2[:0])), np.zeros(2000, bool))


UNIQUE = {
    "integers": TIES,
    "floats": np.array([2.5, -1, 2.5, 0, -1], np.float32),
    "nan": np.array([np.nan, 1, np.nan, 1], np.float32),
    "empty": np.zeros((0,), np.float32),
}


@pytest.mark.parametrize("case", UNIQUE)
def test_unique(backend, case):
    x = UNIQUE[case]
    actual = ops.unique(
        tensor(x), return_index=True, return_inverse=True, return_counts=True
    )
    expected = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    for found, wanted in zip(actual, expected, strict=True):
        check_values(found, wanted, ulp=0)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_unique_slices(backend, axis):
    x = RNG.integers(0, 2, (7, 2, 3)) if axis == 0 else RNG.integers(0, 2, (2, 5, 2))
    actual = ops.unique(
        tensor(x), return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    expected = np.unique(
        x, return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    for found, wanted in zip(actual, expected, strict=True):
        check_values(found, wanted.reshape(tuple(found.shape)))


def test_unique_of_known_size(backend):
    x = tensor(np.array([3, 1, 1, 2], np.int32))

    def call(t, size, fill=None):
        return ops.unique(
            t, return_index=True, return_counts=True, size=size, fill_value=fill
        )

    for size, fill, wanted in (
        (5, None, ([1, 2, 3, 0, 0], [1, 3, 0, 0, 0], [2, 1, 1, 0, 0])),
        (4, 9, ([1, 2, 3, 9], [1, 3, 0, 0], [2, 1, 1, 0])),
        (2, None, ([1, 2], [1, 3], [2, 1])),
    ):
        eager = call(x, size, fill)
        compiled = backend.compile(lambda t, s=size, f=fill: call(t, s, f))(x)
        for results in (eager, compiled):
            assert [host(r).tolist() for r in results] == list(wanted)


GRADIENTS = {
    "sort": (lambda x: ops.square(ops.sort(x, axis=1)), [X[0, :2]]),
    "sort all": (lambda x: ops.square(ops.sort(x, axis=None)), [X[0, :2]]),
    "top_k": (lambda x: ops.square(ops.top_k(x, 2)[0]), [X[0, :3]]),
    "top_1": (lambda x: ops.square(ops.top_k(x, 1)[0]), [X[0, 0]]),
    "bincount": (
        lambda x, w: ops.square(ops.bincount(x, weights=w, minlength=3)),
        [np.array([0, 2, 2]), X[0, 0, :3]],
    ),
}


@pytest.mark.parametrize("case", GRADIENTS)
def test_derivatives(backend, case):
    fn, args = GRADIENTS[case]
    args = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in args]
    check_gradient(fn, args, order=2)


def test_sorting_passes_the_gradient_to_each_value(backend):
    x = tensor(np.array([2.0, np.nan, 1.0, 2.0]))
    _, pullback = vjp(ops.sort, x)
    found = pullback(tensor(np.array([1.0, 2.0, 3.0, 4.0])))
    found = found[0] if isinstance(found, list | tuple) else found
    assert host(found).tolist() == [2.0, 4.0, 1.0, 3.0]


ABSTRACT = {
    "sort": lambda x: ops.sort(x, axis=None),
    "argsort": lambda x: ops.argsort(x, axis=0),
    "top_k": lambda x: ops.top_k(x, 2),
    "argpartition": lambda x: ops.argpartition(x, 1, axis=0),
    "searchsorted": lambda x: ops.searchsorted(x[0], x),
    "histogram": lambda x: ops.histogram(x, 3),
    "isin": lambda x: ops.isin(x, x[0]),
    "unique": lambda x: ops.unique(x, size=3, return_counts=True, axis=0),
    "bincount": lambda x: ops.bincount(ops.cast(x, "int32"), minlength=4),
}


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("case", ABSTRACT)
def test_abstract(backend, case, dtype):
    check_abstract(ABSTRACT[case], np.ones((4, 3), dtype))


@pytest.mark.parametrize("name", ["nonzero", "unique", "bincount"])
def test_unknown_shapes_say_what_to_do(backend, name):
    fn = getattr(ops, name)
    x = tensor(np.array([1, 0, 2], np.int32))
    message = raised(OperationNotSupported, evaluate, fn, [Spec((3,), "int32")])
    assert "compiled" in message
    if backend.capabilities.compile and not backend.capabilities.dynamic_shapes:
        assert raised(OperationNotSupported, backend.compile(fn), x) == message


ERRORS = [
    (ArgumentError, lambda x: ops.sort(x, axis=3)),
    (DTypeError, lambda x: ops.sort(ops.cast(x, "complex64"))),
    (ArgumentError, lambda x: ops.top_k(x, 6)),
    (ShapeError, lambda x: ops.top_k(x[0, 0, 0], 1)),
    (ArgumentError, lambda x: ops.argpartition(x, 7)),
    (ShapeError, lambda x: ops.searchsorted(x, x)),
    (ArgumentError, lambda x: ops.searchsorted(x[0, 0], x, side="up")),
    (ShapeError, lambda x: ops.nonzero(x[0, 0, 0])),
    (ShapeError, lambda x: ops.in_top_k([1, 2], x, 1)),
    (ArgumentError, lambda x: ops.bincount([1, -2])),
    (ShapeError, lambda x: ops.bincount([1, 2], weights=[1.0])),
    (DTypeError, lambda x: ops.in_top_k(x, x, 1)),
    (ArgumentError, lambda x: ops.histogram(x, 0)),
    (ArgumentError, lambda x: ops.histogram(x, 3, range=(2, 1))),
    (ArgumentError, lambda x: ops.unique(x, axis=4)),
]


@pytest.mark.parametrize("kind, call", ERRORS)
def test_errors_read_the_same_everywhere(backend, kind, call):
    message = raised(kind, call, tensor(X))
    with use_backend("numpy"):
        assert message == raised(PolykerasError, call, tensor(X))
