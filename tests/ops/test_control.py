"""Conditions, loops, scans and maps, eager, traced and differentiated."""

import numpy as np
import pytest

from polykeras import ops
from polykeras.backend import Backend, active
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops._abstract import Spec, evaluate
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    raised,
    tensor,
)

M = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
V = np.array([0.5, -1.25, 2.0], np.float32)


@pytest.fixture(params=["eager", "compiled"])
def run(request, backend: Backend):
    """Call a function directly, and compiled by the backend."""

    def call(fn, *args):
        given = [tensor(a) for a in args]
        compiled = request.param == "compiled"
        return (active().compile(fn) if compiled else fn)(*given)

    return call


@pytest.mark.parametrize("pred", [True, False])
def test_cond_calls_the_right_function(run, pred) -> None:
    out = run(lambda p, x: ops.cond(p, lambda: x + 1, lambda: x * 2), pred, V)
    check_values(out, V + 1 if pred else V * 2)


def test_cond_accepts_python_truth_values(backend: Backend) -> None:
    check_values(ops.cond(True, lambda: 1, lambda: 2), 1, dtype="int32")
    assert ops.cond(False, lambda: 1, lambda: None) is None


@pytest.mark.parametrize("index, expected", [(0, V), (1, 2 * V), (9, -V), (-4, V)])
def test_switch_moves_the_index_into_range(run, index, expected) -> None:
    branches = [lambda x: x, lambda x: x * 2, lambda x: -x]
    check_values(run(lambda i, x: ops.switch(i, branches, x), index, V), expected)


def test_while_loop_keeps_the_form(run) -> None:
    def fn(x):
        return ops.while_loop(
            lambda i, _: i < 5, lambda i, v: (i + 1, {"x": v["x"] * 2}), [0, {"x": x}]
        )

    count, value = run(fn, V)
    check_values([count, value["x"]], [5, 32 * V])


@pytest.mark.parametrize("limit, expected", [(3, 3), (9, 5)])
def test_while_loop_stops_at_its_limit(run, limit, expected) -> None:
    out = run(
        lambda i: ops.while_loop(lambda i: i < 5, lambda i: i + 1, i, limit),
        np.int32(0),
    )
    check_values(out, expected, dtype="int32")


@pytest.mark.parametrize("lower, upper, expected", [(1, 4, 6), (4, 1, 1), (2, 3, 2)])
def test_fori_loop(run, lower, upper, expected) -> None:
    def fn(x):
        fixed = ops.fori_loop(lower, upper, lambda i, v: v * i, x)
        moving = ops.fori_loop(lower, x * 0 + upper, lambda i, v: v * i, x)
        return fixed, moving

    check_values(run(fn, np.int32(1)), [expected, expected], dtype="int32")


@pytest.mark.parametrize("reverse", [False, True])
def test_scan(run, reverse) -> None:
    def step(carry, row):
        return carry + row["x"], (carry * row["x"], None)

    carry, (ys, nothing) = run(
        lambda x: ops.scan(step, x[0] * 0, {"x": x}, reverse=reverse), M
    )
    rows = M[::-1] if reverse else M
    before = np.concatenate([np.zeros((1, 4)), np.cumsum(rows, 0)[:-1]])
    expected = (before * rows)[::-1] if reverse else before * rows
    check_values([carry, ys], [M.sum(0), expected], ulp=8, scale=4)
    assert nothing is None


def test_scan_without_rows(run) -> None:
    last, ys = run(
        lambda c: ops.scan(lambda c, _: (c + 1, c), c, length=3), np.int32(4)
    )
    check_values([last, ys], [7, np.array([4, 5, 6])], dtype="int32")
    last, ys = run(
        lambda c: ops.scan(lambda c, _: (c + 1, c * 2.0), c, length=0), np.int32(4)
    )
    check_values([last, ys], [4, np.zeros(0)])


def test_map_and_vectorized_map(run) -> None:
    def fn(x):
        return {"row": x["m"] * 2, "first": ops.take(x["m"], 0, 0)}

    for mapping in (ops.map, ops.vectorized_map):
        out = run(lambda m, mapping=mapping: mapping(fn, {"m": m}), M)
        check_values([out["first"], out["row"]], [M[:, 0], 2 * M])


def test_vectorized_map_of_no_rows(backend: Backend) -> None:
    out = check_abstract(lambda x: ops.vectorized_map(lambda r: r * 2, x), M[:0])
    assert tuple(out.shape) == (0, 4)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan(backend: Backend, n, reverse) -> None:
    # 2x2 matrices do not commute, so the order of the products is tested too.
    x = np.random.default_rng(n).normal(size=(2, n, 2, 2))

    def product(a, b):
        rows = [
            [a[..., i, 0] * b[..., 0, j] + a[..., i, 1] * b[..., 1, j] for j in (0, 1)]
            for i in (0, 1)
        ]
        return ops.stack([ops.stack(row, -1) for row in rows], -2)

    out = check_abstract(lambda t: ops.associative_scan(product, t, reverse, 1), x)
    order = range(n - 1, -1, -1) if reverse else range(n)
    total, expected = None, np.zeros_like(x)
    for i in order:
        total = x[:, i] if total is None else total @ x[:, i]
        expected[:, i] = total
    check_values(out, expected, ulp=64, scale=np.abs(expected).max())


def test_vectorize_broadcasts(backend: Backend) -> None:
    times = ops.vectorize(lambda a, b, c: a * b + c, excluded=(2,))
    check_values(times(V[:, None], V, 1.0), V[:, None] * V + 1, ulp=2)
    outer = ops.vectorize(
        lambda a, b: ops.reshape(a, (-1, 1)) * b, signature="(n),(m)->(n,m)"
    )
    check_values(outer(M, V), M[:, :, None] * V, ulp=1)


SHAPES = {
    "cond": lambda x: ops.cond(x[0, 0] > 0, lambda: x, lambda: -x),
    "switch": lambda x: ops.switch(ops.cast(x[0, 0], "int32"), [lambda: x, lambda: -x]),
    "while_loop": lambda x: ops.while_loop(lambda v: v[0, 0] > 1, lambda v: v / 2, x),
    "scan": lambda x: ops.scan(lambda c, r: (c + r, c[0]), x[0], x),
    "map": lambda x: ops.map(lambda r: r[:2], x),
    "vectorized_map": lambda x: ops.vectorized_map(lambda r: r[:2], x),
    "fori_loop": lambda x: ops.fori_loop(0, 3, lambda i, v: v * 2, x),
    "associative_scan": lambda x: ops.associative_scan(ops.add, x, axis=1),
}


@pytest.mark.parametrize("case", SHAPES)
def test_shapes_are_known_without_values(backend: Backend, case) -> None:
    assert check_abstract(SHAPES[case], M) is not None


GRADIENTS = {
    "cond": lambda x: ops.cond(
        ops.less(ops.get_item(x, (0, 0)), -9), lambda: x, lambda: x * x
    ),
    "switch": lambda x: ops.switch(1, [lambda v: v, lambda v: v * v], x),
    "while_loop": lambda x: ops.while_loop(
        lambda i, v: i < 3, lambda i, v: (i + 1, v * v), (0, x), 5
    )[1],
    "fori_loop": lambda x: ops.fori_loop(0, 2, lambda i, v: v * x, x),
    "scan": lambda x: ops.scan(lambda c, r: (c * r, c + r), x[0], x),
    "scan reversed": lambda x: ops.scan(
        lambda c, r: (c * r, c + r), x[0], x, reverse=True
    ),
    "map": lambda x: ops.map(lambda r: r * r, x),
    "vectorized_map": lambda x: ops.vectorized_map(lambda r: r * r, x),
    "associative_scan": lambda x: ops.associative_scan(ops.multiply, x),
}


@pytest.mark.parametrize("case", GRADIENTS)
def test_gradients(backend: Backend, case) -> None:
    check_gradient(GRADIENTS[case], [M[:2, :1]])


ERRORS = [
    (ShapeError, lambda: ops.cond(V > 0, lambda: 1, lambda: 2), "ops.where"),
    (
        DTypeError,
        lambda: ops.while_loop(lambda i: i < 3, lambda i: ops.add(i, 1.5), 0),
        "int32[] and became float32[]",
    ),
    (
        ShapeError,
        lambda: ops.scan(lambda c, x: (ops.stack([c, x]), c), 0.0, V),
        "must keep its shape",
    ),
    (ShapeError, lambda: ops.scan(lambda c, x: ((c, c), x), 0.0, V), "as many"),
    (ArgumentError, lambda: ops.scan(lambda c, x: c, 0.0, V), "pair (carry, y)"),
    (ArgumentError, lambda: ops.scan(lambda c, x: (c, x), 0.0), "length None"),
    (ShapeError, lambda: ops.scan(lambda c, x: (c, x), 0.0, V, length=2), "length 2"),
    (ArgumentError, lambda: ops.switch(0, []), "at least one"),
    (ShapeError, lambda: ops.vectorized_map(ops.add, (V, M[:2])), "one first size"),
    (ArgumentError, lambda: ops.vectorize(ops.add, signature="(n)")(V, V), "2 tensors"),
]


@pytest.mark.parametrize("kind, call, part", ERRORS)
def test_errors_say_what_came(backend: Backend, kind, call, part) -> None:
    assert part in raised(kind, call)


def test_traced_branches_must_agree(backend: Backend) -> None:
    pred, x = Spec((), "bool"), Spec((2,), "float32")

    def fn(p, v, other):
        return ops.cond(p, lambda: v, lambda: other(v))

    for kind, other in [
        (ShapeError, lambda v: v[0]),
        (ShapeError, lambda v: (v, v)),
        (DTypeError, lambda v: ops.cast(v, "int32")),
    ]:
        message = raised(kind, evaluate, fn, [pred, x, other])
        assert "true_fn returned float32[2]" in message
