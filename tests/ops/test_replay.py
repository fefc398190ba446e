"""Functions are recorded once for each signature and replayed without Python code."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.backend import Kernel, get_backend, repeated, use_backend
from polykeras.state import donating, functional
from polykeras_numpy.backend import NumpyBackend

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


@pytest.fixture(autouse=True)
def _numpy() -> Any:
    with use_backend("numpy"):
        yield


def compiled(fn: Callable[..., Any]) -> tuple[Callable[..., Any], list[int]]:
    """Return the compiled function and a list that grows whenever Python runs it."""
    runs: list[int] = []

    def counting(*args: Any, **kwargs: Any) -> Any:
        runs.append(1)
        return fn(*args, **kwargs)

    return get_backend("numpy").compile(counting), runs


def same(a: Any, b: Any) -> None:
    """Check that two structures hold the same bits."""
    keras.tree.map_structure(np.testing.assert_array_equal, a, b)


def normed(x: Any) -> Any:
    y = ops.tanh(ops.matmul(x, ops.transpose(x)))
    return {"sum": ops.sum(y), "softmax": ops.softmax(y)}


def _cubes(x: Any) -> Any:
    return ops.sum(x**3)


@pytest.mark.parametrize(
    "fn",
    [
        normed,
        lambda x: ops.sort(ops.reshape(x, (-1,)))[::-1],
        lambda x: [keras.grad(lambda t: ops.sum(ops.sin(t) * t))(x), x, None, 3],
        keras.grad(lambda t: ops.sum(keras.grad(_cubes)(t))),
        lambda x: ops.split(x, 2, axis=1),
        lambda x: ops.scan(lambda c, r: (c + r, c * r), x[0], x),
        ops.custom_gradient(lambda t: (t * 2, lambda g: g)),
        keras.checkpoint(lambda t: ops.exp(t) * 2),
        lambda x: keras.random.normal((3,), seed=ops.cast(x[0, :2] > 0, "uint32")),
    ],
)
def test_replays_give_the_same_bits(fn: Callable[[Any], Any]) -> None:
    run, runs = compiled(fn)
    for x in (X, X + 1, -X):
        same(run(x), fn(x))
    assert len(runs) == 1


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (2, 3, 4), (300, 100)])
def test_kernels_that_fit_the_arguments_give_the_same_bits(
    shape: tuple[int, ...], dtype: str
) -> None:
    def fn(x: Any, row: Any) -> Any:
        product = ops.matmul(x, ops.swapaxes(x, -1, -2)) if len(shape) > 1 else x
        # A rectifier that makes an array of its own, and one that writes over another.
        return ops.relu(x), ops.relu(ops.add(x, row)), product

    run, runs = compiled(fn)
    x = np.random.default_rng(0).normal(0, 9, shape).astype(dtype)
    row = np.full(shape[-1:], -0.0, dtype)
    x[x > 5] = np.nan if dtype != "int32" else 5
    x[np.abs(x) < 2] = -0.0
    for _ in range(2):
        for found, wanted in zip(run(x, row), fn(x, row), strict=True):
            assert type(found) is np.ndarray
            assert found.dtype == wanted.dtype
            same(found, wanted)
            same(np.signbit(found), np.signbit(wanted))
    assert len(runs) == 1


def test_signatures_are_shapes_dtypes_and_other_values() -> None:
    run, runs = compiled(lambda x, n=1: x * n)
    for args in ((X,), (X[:2],), (X.astype("float64"),), (X, 2), (X, 2.0), (X, True)):
        same(run(*args), np.multiply(*args) if len(args) > 1 else args[0])
    assert len(runs) == 6
    run(X, n=2)
    run(X, n=2)
    assert len(runs) == 7


def test_the_same_tensors_in_other_lists_are_another_signature() -> None:
    def placed(*args: Any, **kwargs: Any) -> Any:
        values = keras.tree.flatten((args, kwargs))
        total = ops.sum(ops.stack([x * (i + 1) for i, x in enumerate(values)]))
        return total + len(args) + 10 * len(args[0]) + 100 * len(kwargs)

    fn, runs = compiled(placed)
    x, y, z = X, X + 1, X + 2
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        (([x, y], z), {}),
        (([x], y, z), {}),
        (([x, y], [z]), {}),
        (([x, [y]], z), {}),
        (([x, y],), {"last": z}),
        (((x, y), z), {}),
    ]
    for again in range(2):
        for args, kwargs in calls:
            for _ in range(2):
                same(fn(*args, **kwargs), placed(*args, **kwargs))
        assert len(runs) == len(calls), again


@pytest.mark.parametrize(
    "use",
    [
        bool,
        int,
        float,
        complex,
        "{:.1f}".format,
        np.asarray,
        ops.convert_to_numpy,
        lambda x: [0, 1][x],
    ],
)
def test_code_that_asks_for_values_runs_as_it_stands(use: Callable[[Any], Any]) -> None:
    def fn(x: Any) -> Any:
        first = x[0, 0] if use is not int else ops.cast(x[0, 0], "int32")
        if use.__name__ == "<lambda>":
            first = ops.cast(first > 0, "int32")
        try:
            use(first)
        except Exception:  # code that hides the refusal must not be recorded either
            return x * 0
        return x * 2

    run, runs = compiled(fn)
    for _ in range(2):
        same(run(X), X * 2)
    assert len(runs) == 3  # one attempt to record


def test_shapes_that_depend_on_values_run_as_they_stand() -> None:
    run, runs = compiled(lambda x: ops.nonzero(x)[0])
    for x in (X[0], X[0] * 0):
        same(run(x), np.nonzero(x)[0])
    assert len(runs) == 3


def test_values_of_variables_are_refused_too() -> None:
    v = keras.Variable(1.0)
    pure = functional(lambda x: x * float(v), [v])
    run, runs = compiled(pure)
    for value in (1.0, 2.0, 3.0):
        result, _ = run([np.float32(value)], X)
        same(result, X * np.float32(value))
    assert len(runs) == 4


def test_conditions_and_loops_depend_on_values() -> None:
    def fn(x: Any, limit: Any) -> Any:
        halved = ops.cond(ops.sum(x) > 0, lambda: (x / 2, x[0]), lambda: (x, x[1] * 3))
        steps, total = ops.while_loop(
            lambda i, s: ops.sum(s) < limit, lambda i, s: (i + 1, s + halved[0]), (0, x)
        )
        return halved, steps, total

    run, runs = compiled(fn)
    for x, limit in ((X + 1, 9.0), (-X - 1, -90.0), (X + 2, 500.0)):
        same(run(x, np.float32(limit)), fn(x, np.float32(limit)))
    assert len(runs) == 1


def test_bounded_loops_stop() -> None:
    run, _ = compiled(
        lambda x: ops.while_loop(
            lambda v: ops.max(v) < 100, lambda v: v * 2, (x,), maximum_iterations=3
        )
    )
    same(run(X), (X * 8,))


def test_constants_belong_to_the_program() -> None:
    table = np.ones(4, np.float32)
    run, _ = compiled(lambda x: (x + table, table))
    first = run(X)
    first[1][:] = 7
    table[:] = 5
    same(run(X), (X + 1, np.ones(4, np.float32)))


def test_assigning_a_tensor_in_donated_code_copies_it() -> None:
    a, b = keras.Variable(X), keras.Variable(X)

    def fn() -> None:
        b.assign(a.value)
        with donating():
            b.assign(a.value)
            (new,) = ops.sgd_update([a.value], [ops.ones_like(a.value)], 1.0, True)
            a.replace(new)

    run, _ = compiled(functional(fn, [a, b]))
    _, (first, second) = run([X.copy(), X.copy()])
    same((first, second), (X - 1, X))


class Counting(NumpyBackend):
    """NumPy that counts exponentials, and has none of negative numbers."""

    count = 0

    def own_kernels(self) -> Mapping[str, Kernel]:
        """Replace one kernel."""

        def exp(x: Any) -> Any:
            self.count += 1
            if np.any(np.less(x, 0)):
                raise ArithmeticError("a negative number")
            return np.exp(x)

        return {**super().own_kernels(), "exp": exp}


def test_results_that_nobody_needs_are_not_computed() -> None:
    backend = get_backend(Counting())
    assert isinstance(backend, Counting)

    def fn(x: Any) -> Any:
        ops.log(ops.exp(x))
        return ops.exp(x)

    with use_backend(backend):
        run = backend.compile(fn)
        run(X + 1)
        assert backend.count == 1


def test_a_failing_kernel_tells_what_it_tells_eagerly() -> None:
    backend = get_backend(Counting())
    with use_backend(backend):
        run = backend.compile(lambda x: ops.sum(ops.exp(x)))
        run(X + 1)
        with pytest.raises(ArithmeticError, match="negative") as eager:
            ops.exp(X)
        with pytest.raises(ArithmeticError, match="negative") as replayed:
            run(X)
    assert replayed.value.__notes__ == eager.value.__notes__


def test_memory_is_given_back_after_the_last_use() -> None:
    def fn(x: Any) -> Any:
        for _ in range(40):
            x = ops.sin(x)
        return ops.sum(x)

    run, _ = compiled(fn)
    x = np.ones((250, 1000), np.float32)
    run(x)
    tracemalloc.start()
    run(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3.5 * x.nbytes


def test_values_that_nobody_needs_are_overwritten_and_no_others() -> None:
    bias = np.ones(1000, np.float32)

    def fn(x: Any) -> Any:
        kept = ops.add(ops.sin(x), bias)
        return kept, ops.relu(ops.multiply(ops.add(kept, bias), 2.0))

    run, _ = compiled(fn)
    x = np.random.default_rng(0).normal(size=(250, 1000)).astype(np.float32)
    before = x.copy()
    run(x)
    tracemalloc.start()
    found = run(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    same(found, fn(x))
    same(x, before)
    # The two results and nothing else.
    assert peak < 2.5 * x.nbytes


@pytest.mark.parametrize("backwards", [False, True])
def test_overwriting_leaves_the_order_of_sums(backwards: bool) -> None:
    x = np.random.default_rng(1).normal(size=(300, 200)).astype(np.float32)
    other = np.random.default_rng(2).normal(size=(200, 300)).astype(np.float32)

    def fn(x: Any) -> Any:
        parts = [ops.multiply(ops.transpose(x), 2.0), ops.sin(other)]
        y = ops.relu(ops.add(*(parts[::-1] if backwards else parts)))
        return ops.sum(y), ops.sum(y, 0), ops.sum(y, 1)

    run, _ = compiled(fn)
    same(run(x), fn(x))


def test_a_function_with_ever_new_arguments_keeps_few_programs() -> None:
    run, runs = compiled(lambda x, n: x + n)
    for n in range(100):
        same(run(X, n), X + n)
    before = len(runs)
    run(X, 0)
    assert len(runs) == before  # replayed still
    run(X, 99)
    assert len(runs) == before + 1


def test_recorded_functions_nest_and_are_differentiated() -> None:
    inner, _ = compiled(ops.sin)
    outer, runs = compiled(lambda x: inner(x) * 2)
    same(outer(X), np.sin(X) * 2)
    assert len(runs) == 1
    same(keras.grad(lambda t: ops.sum(inner(t)))(X), np.cos(X))


def test_calls_in_a_row_look_at_their_arguments_until_the_state_keeps_its_form() -> (
    None
):
    def step(state: list[Any], x: Any) -> tuple[Any, list[Any]]:
        (total,) = state
        return ops.sum(total), [ops.add(total, x)]

    fn, runs = compiled(step)
    rows = [ops.convert_to_tensor(row) for row in X]
    # The first sum broadcasts: from then on the state is a row.
    found = list(repeated(fn, [ops.zeros((1,))], ((row,) for row in rows)))
    assert len(runs) == 2
    same([state for _, state in found], [[t] for t in np.cumsum(X, axis=0)])
    assert [float(result) for result, _ in found] == [
        0,
        float(X[0].sum()),
        float(X[:2].sum(0).sum()),
    ]


def test_a_call_in_a_row_that_fails_is_explained() -> None:
    def step(state: list[Any], n: Any) -> tuple[Any, list[Any]]:
        return ops.take(state[0], n, axis=0), state

    fn, _ = compiled(step)
    calls = [(ops.convert_to_tensor(np.int32(n)),) for n in (0, 1, 5)]
    results = repeated(fn, [ops.convert_to_tensor(X)], calls)
    same(next(results)[0], X[0])
    same(next(results)[0], X[1])
    with pytest.raises(keras.errors.PolykerasError, match=r"take.*5.*\b3\b"):
        next(results)
