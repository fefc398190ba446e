"""Control flow: variables assigned in conditions, loops and scans keep their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.autodiff import vjp
from polykeras.backend import Backend, active, repeated
from polykeras.conformance._bounds import Bound
from polykeras.conformance._checks import check_array
from polykeras.errors import PolykerasError
from polykeras.state import functional

ROWS: Final = np.arange(1, 9, dtype=np.float32).reshape(4, 2)
FIRST: Final = np.array([0, 1], np.float32)
BATCHES: Final = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)


Fn: TypeAlias = Callable[..., Any]
Run: TypeAlias = Callable[..., Any]


def tensor(x: Any) -> Any:
    return active().convert_to_tensor(x)


def host(x: Any) -> Any:
    return np.asarray(ops.convert_to_numpy(x))


def check_values(
    found: Any, expected: Any, *, ulp: float = 4, scale: float = 0, dtype: str = ""
) -> None:
    """Compare tensors with values, in units of the last place."""
    pairs = [(found, expected)]
    if isinstance(found, list):
        pairs = list(zip(found, expected, strict=True))
    for x, want in pairs:
        name = ops.dtype(x)
        assert not dtype or name == dtype
        bound = Bound(ulp, f"{ulp:g} roundings, each of half a unit or so")
        check_array(host(x), want, name, bound, scale, "a carried value")


@pytest.fixture(params=["eager", "compiled"])
def run(request: pytest.FixtureRequest, backend: Backend) -> Run:
    """Call a function that assigns variables, directly or as a compiled pure one."""

    def call(fn: Fn, variables: list[Any], *args: Any) -> Any:
        given = [tensor(a) for a in args]
        if request.param == "eager":
            return fn(*given)
        pure = active().compile(functional(fn, variables))
        result, values = pure([v.value for v in variables], *given)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return result

    return call


def test_scan_carries_variables(run: Run) -> None:
    total, count = keras.Variable(FIRST), keras.Variable(0)

    def fn(xs: Any) -> Any:
        def step(carry: Any, x: Any) -> Any:
            total.assign_add(x)
            count.assign_add(1)
            return carry, total * 1

        return ops.scan(step, (), xs)[1]

    check_values(run(fn, [total, count], ROWS), np.cumsum(ROWS, 0) + FIRST)
    check_values([total.value, count.value], [ROWS.sum(0) + FIRST, 4])


def test_scan_carries_float64(run: Run) -> None:
    total = keras.Variable(np.float64(0.1))

    def fn(xs: Any) -> Any:
        return ops.scan(lambda c, x: (c, total.assign_add(x[0])), (), xs)[0]

    run(fn, [total], ROWS)
    check_values(total.value, 0.1 + ROWS[:, 0].astype(float).sum(), dtype="float64")


@pytest.mark.parametrize("pred", [True, False])
def test_cond_keeps_what_its_branch_assigned(run: Run, pred: bool) -> None:
    left, right = keras.Variable(1.0), keras.Variable(2.0)

    def fn(p: Any) -> Any:
        def first() -> Any:
            left.assign(10.0)
            return left + right

        def second() -> Any:
            right.assign_add(5.0)
            return left + right

        return ops.cond(p, first, second)

    check_values(run(fn, [left, right], pred), 12.0 if pred else 8.0)
    check_values([left.value, right.value], [10.0, 2.0] if pred else [1.0, 7.0])


@pytest.mark.parametrize("limit", [None, 10])
def test_while_loop_sees_what_it_assigns(run: Run, limit: int | None) -> None:
    steps = keras.Variable(0)

    def fn(x: Any) -> Any:
        def body(x: Any) -> Any:
            steps.assign_add(1)
            return (x * 2,)

        return ops.while_loop(lambda x: steps < 3, body, (x,), limit)[0]

    check_values(run(fn, [steps], np.float32(1)), 8.0)
    check_values(steps.value, 3)


def test_gradients_flow_through_a_scan_that_assigns(backend: Backend) -> None:
    count = keras.Variable(0.0)

    def fn(x: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            count.assign_add(1.0)
            return carry * row, None

        return ops.sum(ops.scan(step, x[0], x)[0])

    value, grad = keras.value_and_grad(fn)(tensor(ROWS))
    expected = np.prod(ROWS, 0) * ROWS[0]
    check_values(value, expected.sum(), ulp=8)
    wanted = expected / ROWS
    wanted[0] *= 2
    check_values(grad, wanted, ulp=16)
    check_values(count.value, 4.0)


def test_seed_generator_inside_scan(run: Run) -> None:
    def draw(seed: Any) -> Any:
        return keras.random.normal((2,), seed=seed)

    twin = keras.random.SeedGenerator(3)
    expected = [host(draw(twin)) for _ in range(4)]
    seed = keras.random.SeedGenerator(3)
    found = run(
        lambda xs: ops.scan(lambda c, x: (c, draw(seed)), (), xs)[1],
        [seed.state],
        ROWS,
    )
    check_values(found, np.stack(expected), ulp=4)
    check_values(seed.state.value, host(twin.state.value))


def test_batch_normalization_inside_scan(backend: Backend) -> None:
    x = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    layer, twin = (keras.layers.BatchNormalization() for _ in range(2))
    for each in (layer, twin):
        each.build((None, 2))
    expected = [host(twin(row, training=True)) for row in x]
    found = ops.scan(lambda c, row: (c, layer(row, training=True)), (), tensor(x))[1]
    check_values(found, np.stack(expected), ulp=16, scale=1)
    check_values(
        [layer.moving_mean.value, layer.moving_variance.value],
        [host(twin.moving_mean.value), host(twin.moving_variance.value)],
        ulp=16,
        scale=1,
    )


def test_assigning_in_a_function_mapped_at_once_is_refused(backend: Backend) -> None:
    count = keras.Variable(0.0, name="count")

    def fn(row: Any) -> Any:
        count.assign(row[0])
        return row

    with pytest.raises(PolykerasError, match=r"'count'.*ops\.map"):
        ops.vectorized_map(fn, tensor(ROWS))
    check_values(count.value, 0.0)


def _tripled(x: Any) -> Any:
    """Return twice `x`, with three times its slope."""

    def f(x: Any) -> Any:
        return ops.multiply(x, 2.0), lambda g, **_: ops.multiply(g, 3.0)

    return ops.custom_gradient(f)(x)


def _lstm(x: Any) -> Any:
    state, weights = ops.zeros((1, 3)), ops.ones((2, 12))
    recurrent = ops.full((3, 12), 0.1)
    return ops.lstm(ops.expand_dims(x, 0), state, state, weights, recurrent)[0]


MAPPED: Final[dict[str, Fn]] = {
    "batch_normalization": lambda x: ops.batch_normalization(
        x, ops.mean(x, 0), ops.var(x, 0), -1
    ),
    "batch_normalization_training": lambda x: ops.batch_normalization_training(x, -1)[
        0
    ],
    "cholesky": lambda x: ops.cholesky(
        ops.add(ops.matmul(ops.transpose(x), x), ops.eye(2))
    ),
    "custom_gradient": _tripled,
    "layer_normalization": ops.layer_normalization,
    "logsumexp": ops.logsumexp,
    "lstm": _lstm,
    "moments": lambda x: ops.moments(x, [0])[1],
    "rms_normalization": ops.rms_normalization,
    "rsqrt": lambda x: ops.rsqrt(ops.add(ops.square(x), 1.0)),
    "softmax": ops.softmax,
}


@pytest.mark.parametrize("name", MAPPED)
def test_a_map_at_once_is_that_row_by_row(backend: Backend, name: str) -> None:
    """Also of ops that a library runs by one kernel, with a derivative of its own."""
    fn = MAPPED[name]

    def at_once(x: Any) -> Any:
        return ops.vectorized_map(fn, x)

    def one_by_one(x: Any) -> Any:
        return ops.stack([fn(ops.take(x, i, axis=0)) for i in range(len(BATCHES))])

    x = tensor(BATCHES)
    wanted = host(one_by_one(x))
    g = tensor(np.random.default_rng(1).normal(size=wanted.shape).astype(np.float32))
    # Sums of up to 8 terms, of which an LSTM adds those of 4 steps; a derivative goes
    # through each twice.
    for run in (at_once, backend.compile(at_once)):
        check_values(run(x), wanted, ulp=32, scale=1)
    slopes = [vjp(run, x)[1](g) for run in (at_once, one_by_one)]
    check_values(slopes[0], host(slopes[1]), ulp=64, scale=1)


def test_calls_in_a_row_hand_on_the_state(backend: Backend) -> None:
    def step(state: list[Any], x: Any, n: Any) -> tuple[dict[str, Any], list[Any]]:
        total, count = state
        total = ops.add(ops.multiply(total, 0.5), ops.take(x, n, axis=0))
        return {"last": ops.sum(total)}, [total, ops.add(count, 1)]

    compiled = backend.compile(step, donate=(0,))
    x, order = tensor(ROWS), [3, 0, 2, 2, 1]
    calls = [(x, tensor(np.int32(n))) for n in order]
    found = repeated(compiled, [tensor(FIRST), tensor(np.int32(7))], calls)
    want = FIRST.copy()
    for i, (result, (total, count)) in enumerate(found):
        want = want / 2 + ROWS[order[i]]
        # Halves and whole numbers of few bits: no call rounds.
        check_values(total, want, ulp=0, dtype="float32")
        check_values(result["last"], want.sum(), ulp=0, dtype="float32")
        assert int(host(count)) == 8 + i
    assert i == len(order) - 1
