"""Functions traced and replayed on PyTorch: same results, no stale values."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import polykeras as keras  # noqa: E402
from polykeras import layers, ops  # noqa: E402
from polykeras.backend import get_backend, use_backend  # noqa: E402
from polykeras.errors import ArgumentError  # noqa: E402
from polykeras_torch.compilation import Replaying  # noqa: E402
from polykeras_torch.replay import replayed  # noqa: E402
from polykeras_torch.tracing import Recorder  # noqa: E402

_CALLS = {"add", "addmm", "clone", "div", "exp", "mm", "mul"}


@pytest.fixture(autouse=True)
def on_torch() -> Any:
    with use_backend("torch"):
        yield


def _counted(fn: Callable[..., Any]) -> tuple[Callable[..., Any], list[int]]:
    runs: list[int] = []

    def counted(*args: Any) -> Any:
        runs.append(1)
        return fn(*args)

    return counted, runs


def test_another_form_is_traced_anew() -> None:
    fn, runs = _counted(lambda x: x * 2 + 1)
    compiled = Replaying(fn)
    for _ in range(3):
        for x in (torch.ones(2), torch.ones(3), torch.ones(2, dtype=torch.float64)):
            assert torch.equal(compiled(x), x * 2 + 1)
    assert len(runs) == 3


def test_strides_are_part_of_the_form() -> None:
    fn, runs = _counted(lambda x: x.reshape(-1) * 1)
    compiled = Replaying(fn)
    x = torch.arange(6.0).reshape(2, 3)
    for _ in range(2):
        assert compiled(x).tolist() == [0, 1, 2, 3, 4, 5]
        assert compiled(x.t()).tolist() == [0, 3, 1, 4, 2, 5]
    assert len(runs) == 2


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x * float(x.sum()),
        lambda x: x * x.sum().item(),
        lambda x: x * float(x.numpy().sum()),
        lambda x: x * sum(x.tolist()),
        lambda x: x * float(np.asarray(x).sum()),
        lambda x: x if bool(x.sum() > 3) else -x,
        lambda x: x * x[x > 1].shape[0],
        lambda x: x * torch.nonzero(x).shape[0],
    ],
)
def test_values_are_not_built_in(read: Any, caplog: Any) -> None:
    compiled = Replaying(read)
    with caplog.at_level(logging.DEBUG, "polykeras_torch.compilation"):
        for values in ([1.0, 2.0], [0.0, 5.0], [0.0, 0.0]):
            x = torch.tensor(values)
            assert torch.equal(compiled(x), read(x))
    assert sum("as it stands" in r.message for r in caplog.records) == 1


def test_constants_do_not_leave_the_function() -> None:
    compiled = Replaying(lambda x: (x + 1, torch.zeros(2)))
    x = torch.ones(2)
    compiled(x)
    compiled(x)[1].add_(1)
    assert compiled(x)[1].tolist() == [0, 0]


def test_memory_that_is_written_is_no_constant() -> None:
    def fn(x: Any) -> Any:
        total = torch.zeros(2)
        total += x
        return total

    compiled = Replaying(fn)
    for _ in range(3):
        assert compiled(torch.ones(2)).tolist() == [1, 1]


def test_writes_through_views_are_kept() -> None:
    def fn(x: Any) -> Any:
        out = x.clone()
        out[1:].view(-1).mul_(10)
        return out

    compiled = Replaying(fn)
    for n in (1.0, 2.0, 3.0):
        assert compiled(torch.full((3,), n)).tolist() == [n, 10 * n, 10 * n]


def test_random_numbers_are_drawn_at_each_call() -> None:
    compiled = Replaying(lambda x: x + torch.rand(3))
    draws = [tuple(compiled(torch.zeros(3)).tolist()) for _ in range(3)]
    assert len(set(draws)) == 3


def test_what_nobody_sees_is_left_out() -> None:
    recorder = Recorder()
    x = torch.ones(2)
    with recorder.recording([x]):
        torch.exp(x)
        result = torch.sin(x).detach() + torch.ones(2) * 2
    replay = replayed(recorder, recorder.refs(result))
    assert torch.equal(replay([x]), torch.sin(x) + 2)
    assert len(recorder.nodes) > 3
    # The sum of a sine and a constant.
    assert replay.__code__.co_nlocals == 4


def test_a_failing_trace_leaves_donated_tensors_alone() -> None:
    def fn(values: list[Any], x: Any) -> Any:
        (new,) = ops.sgd_update(values, [x], 0.5, donate=True)
        return new * float(new.sum())

    w = torch.ones(2)
    compiled = Replaying(fn, (0,))
    expected = 0.5 * torch.ones(2)
    assert torch.equal(compiled([w], torch.ones(2)), expected)
    assert torch.equal(w, expected)


def test_donated_tensors_are_overwritten() -> None:
    compiled = Replaying(lambda v, g: ops.sgd_update(v, g, 0.5, donate=True), (0,))
    w, g = torch.ones(2), torch.ones(2)
    (w,) = compiled([w], [g])
    (same,) = compiled([w], [g])
    assert same is w
    assert w.tolist() == [0, 0]


def test_gradients_flow_through_compiled_functions() -> None:
    compiled = Replaying(lambda x: ops.sum(ops.square(x)))
    x = torch.tensor([1.0, 2.0])
    compiled(x)
    assert keras.grad(compiled)(x).tolist() == [2, 4]
    assert torch.vmap(compiled)(torch.ones(3, 2)).tolist() == [2, 2, 2]


def test_the_right_words_for_an_index_out_of_range() -> None:
    compiled = get_backend("torch").compile(lambda x, i: ops.take(x, i, axis=0))
    x = torch.arange(3.0)
    assert compiled(x, torch.tensor([2])).tolist() == [2]
    assert compiled(x, torch.tensor([0])).tolist() == [0]
    with pytest.raises(ArgumentError, match="index 5 for axis 0 of size 3"):
        compiled(x, torch.tensor([5]))


def test_equal_results_are_computed_once() -> None:
    def fn(x: Any, w: Any, b: Any) -> Any:
        out = (x @ w + b) / 1
        return [out * 1.0, torch.exp(x) + torch.exp(x).clone(), x * 1]

    recorder = Recorder()
    x, w, b = torch.ones(2, 3), torch.ones(3, 4), torch.arange(4.0)
    with recorder.recording([x, w, b]):
        result = fn(x, w, b)
    replay = replayed(recorder, recorder.refs(result))
    for found, expected in zip(replay([x, w, b]), fn(x, w, b), strict=True):
        assert torch.equal(found, expected)
    names = [getattr(v, "__name__", "") for v in replay.__globals__.values()]
    found = sorted(name for name in names if name.rstrip("_") in _CALLS)
    # One sum is in place.
    assert found == ["add", "add_", "exp", "mm", "mul"]


def test_results_that_the_caller_keeps_apart_stay_apart() -> None:
    compiled = Replaying(lambda x: (torch.exp(x), torch.exp(x), x * 1))
    x = torch.zeros(2)
    compiled(x)
    first, second, third = compiled(x)
    first.add_(1)
    third.add_(1)
    assert (second.tolist(), x.tolist()) == ([1, 1], [0, 0])


_STEPS: list[Callable[..., Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b[:1],
    lambda a, b: torch.tanh(a),
    lambda a, b: torch.relu(a),
    lambda a, b: a.clone(),
    lambda a, b: a * 1,
    lambda a, b: a.t(),
    lambda a, b: a.reshape(9).reshape(3, 3),
    lambda a, b: a[:, ::2].repeat(1, 2)[:, :3],
    lambda a, b: a[1:2].expand(3, 3),
    lambda a, b: torch.where(a > b, a, b),
    lambda a, b: torch.ops.aten.threshold_backward(a, b, 0),
    lambda a, b: a.clone().mul_(b),
    lambda a, b: a @ b,
]


@pytest.mark.parametrize("seed", range(60))
def test_memory_is_taken_only_where_nobody_reads_it_again(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = [(rng.integers(len(_STEPS)), *rng.random(2)) for _ in range(25)]
    wanted = rng.random(3)

    def fn(x: Any, y: Any) -> Any:
        values = [x, y]
        for step, first, second in steps:
            a, b = (values[int(r**0.5 * len(values))] for r in (first, second))
            values.append(_STEPS[step](a, b))
        return [values[2 + int(r * (len(values) - 2))] + 0 for r in wanted]

    x, y = torch.from_numpy(rng.normal(size=(2, 3, 3)))
    before = x.clone(), y.clone()
    compiled = Replaying(fn)
    for _ in range(2):
        for found, expected in zip(compiled(x, y), fn(x, y), strict=True):
            assert torch.equal(found, expected)
    assert torch.equal(x, before[0])
    assert torch.equal(y, before[1])


def test_dead_arguments_are_overwritten() -> None:
    recorder = Recorder()
    x, b = torch.ones(2, 3), torch.arange(3.0)
    with recorder.recording([x, b]):
        result = torch.relu(x @ x.t() + b[:2]) * 2 - x[:, :2]
    replay = replayed(recorder, recorder.refs(result))
    assert torch.equal(replay([x, b]), torch.relu(x @ x.t() + b[:2]) * 2 - x[:, :2])
    names = {getattr(v, "__name__", "") for v in replay.__globals__.values()}
    assert {"add_", "relu_", "mul_", "sub_"} <= names


def _model() -> Any:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Reshape((4, 16)),
            layers.LSTM(6, return_sequences=True),
            layers.GRU(5),
            layers.Dropout(0.4),
            layers.Dense(3),
        ]
    )


def _data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 8, 8, 2)).astype("float32"), rng.integers(0, 3, 20)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adamw", "lion"])
def test_training_is_that_of_the_eager_run(optimizer: str) -> None:
    x, y = _data()
    found = []
    for jit in (True, False):
        model = _model()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=jit)
        history = model.fit(x, y, batch_size=8, epochs=3, verbose=0).history
        found.append((history, model.get_weights(), model.predict(x, verbose=0)))
        assert bool(model._steps["train"].traces) == jit
    (history, weights, outputs), (other, others, again) = found
    assert history == other
    assert all(np.array_equal(a, b) for a, b in zip(weights, others, strict=True))
    np.testing.assert_array_equal(outputs, again)


def test_training_does_not_look_at_the_callers_grad_mode() -> None:
    # The library's LSTM keeps what its derivative needs only if gradients are on.
    x, y = _data()
    found = []
    for off in (False, True):
        model = _model()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss)
        model.fit(x[:16], y[:16], batch_size=8, verbose=0)
        with torch.set_grad_enabled(not off):
            model.fit(x[:16], y[:16], batch_size=8, verbose=0)
            assert torch.is_grad_enabled() is not off
        found.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


def test_prediction_keeps_nothing_for_derivatives() -> None:
    recorder = Recorder()
    x = torch.ones(2, requires_grad=True)
    with recorder.recording([x]):
        result = torch.exp(x)
    assert not recorder.differentiates
    assert not result.requires_grad


def test_a_last_batch_of_predict_is_traced_if_its_size_comes_again() -> None:
    x, _ = _data()
    model, other = _model(), _model()
    parts = x[:8], x[8:16], x[16:]
    expected = np.concatenate([other.predict_on_batch(part) for part in parts])
    traces = []
    for _ in range(3):
        found = model.predict(x, batch_size=8, verbose=0)
        np.testing.assert_array_equal(found, expected)
        traces.append(model._steps["predict"].traces)
    assert np.diff(traces).tolist() == [1, 0]


def test_nothing_is_traced_twice() -> None:
    x, y = _data()
    model = _model()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(x[:16], y[:16], batch_size=8, verbose=0)
    step = model._steps["train"]
    traces = step.traces
    assert traces == 1
    model.fit(x[:16], y[:16], batch_size=8, epochs=2, verbose=0)
    model.optimizer.learning_rate = 0.5
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs["loss"])
    )
    data = (x[:8], y[:8])
    model.fit(
        x[:16],
        y[:16],
        batch_size=8,
        verbose=0,
        callbacks=[callback],
        validation_data=data,
    )
    assert len(seen) == 2
    assert model._steps["train"] is step
    assert step.traces == traces


def test_a_changed_learning_rate_takes_effect() -> None:
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.ones((4, 1), np.float32)
    model.fit(x, x, epochs=3, verbose=0)
    before = model.get_weights()[0].copy()
    model.optimizer.learning_rate = 0.5
    model.fit(x, x, epochs=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], 1.0, rtol=1e-6)
    assert before != 1.0
