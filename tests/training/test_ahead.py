"""Batches taken ahead from Python code that may look at the model or change it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.training.data import _ahead
from tests.training._models import X, Y, linear, one_by_one

BATCHES = [(X[i : i + 2], Y[i : i + 2]) for i in range(0, 20, 2)]
# Sums of at most 3 products over 10 steps, in float32.
TOLERANCE = 3 * 10 * np.finfo("float32").eps


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let batches wait however long a busy machine takes."""
    monkeypatch.setattr(_ahead, "_SECONDS", np.inf)


def warmed(**settings: Any) -> keras.Sequential:
    """Return a model whose dispatches have grown to many steps."""
    model = linear(optimizer="adam", **settings)
    start = model.get_weights()
    for _ in range(3):
        model.fit(iter(BATCHES), verbose=0)
    model.set_weights(start)
    for v in model.optimizer.variables:
        if v is not model.optimizer.learning_rate:
            v.assign(np.zeros(v.shape))
    return model


def dispatches(monkeypatch: pytest.MonkeyPatch, model: keras.Model) -> list[int]:
    """Return a list that gets the number of steps of each dispatch."""
    seen: list[int] = []
    step = type(model._step("train"))
    call = step.__call__

    def noting(self: Any, group: Any) -> Any:
        seen.append(len(group))
        return call(self, group)

    monkeypatch.setattr(step, "__call__", noting)
    return seen


LOOKS: dict[str, Callable[[keras.Model], Any]] = {
    "value": lambda m: m.weights[0].value,
    "numpy": lambda m: m.get_weights()[0],
    "text": lambda m: repr(m.weights[0]),
    "copy": lambda m: copy.deepcopy(m.weights[0]).numpy(),
    "call": lambda m: keras.ops.convert_to_numpy(m(X[:2])),
    "predict": lambda m: m.predict(X[:2], verbose=0),
    "metric": lambda m: float(m.metrics[0].result()),
    "state": lambda m: m.get_state_tree()["trainable_variables"],
}


@pytest.mark.parametrize("name", LOOKS)
def test_who_looks_sees_every_step_before(backend: Backend, name: str) -> None:
    model = warmed()

    def source(seen: list[str]) -> Iterator[Any]:
        for batch in BATCHES:
            seen.append(str(LOOKS[name](model)))
            yield batch

    start, slots = model.get_weights(), [v.numpy() for v in model.optimizer.variables]
    together: list[str] = []
    model.fit(source(together), verbose=0)
    model.set_weights(start)
    for v, value in zip(model.optimizer.variables, slots, strict=True):
        v.assign(value)
    apart: list[str] = []
    model.fit(source(apart), verbose=0, callbacks=[one_by_one()])
    # The first look at a metric is at what the run before left.
    assert len(set(together[1:])) == len(BATCHES) - 1
    assert together[1:] == apart[1:]


def test_what_nobody_sees_is_run_together(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = warmed()
    seen = dispatches(monkeypatch, model)
    history = model.fit(iter(BATCHES), verbose=0).history
    assert sum(seen) == len(BATCHES)
    assert max(seen) > 1
    other = warmed()
    expected = other.fit(iter(BATCHES), verbose=0, callbacks=[one_by_one()]).history
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=TOLERANCE)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE)


def test_an_assignment_takes_effect_where_it_is_made(backend: Backend) -> None:
    def trained(**options: Any) -> list[Any]:
        model = warmed()

        def source() -> Iterator[Any]:
            for i, batch in enumerate(BATCHES):
                if i == 6:
                    model.optimizer.learning_rate = 0.1
                yield batch

        model.fit(source(), verbose=0, **options)
        return model.get_weights()

    together, apart = trained(), trained(callbacks=[one_by_one()])
    for a, b in zip(together, apart, strict=True):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE)


def test_a_failing_source_keeps_the_steps_before(backend: Backend) -> None:
    model = warmed()

    def source() -> Iterator[Any]:
        yield from BATCHES[:7]
        raise OSError("no more data")

    with pytest.raises(OSError, match="no more data"):
        model.fit(source(), verbose=0)
    assert int(model.optimizer.iterations) == 7


def test_a_source_may_stop_the_training(backend: Backend) -> None:
    model = warmed()
    taken = []

    def source() -> Iterator[Any]:
        for i, batch in enumerate(BATCHES):
            taken.append(i)
            model.stop_training = i == 4
            yield batch

    model.fit(source(), epochs=3, verbose=0)
    assert int(model.optimizer.iterations) == len(taken) == 5


@pytest.mark.parametrize("together", [True, False])
def test_a_source_may_write_to_its_array_again(
    backend: Backend, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, other = warmed(), warmed()
    if not together:
        monkeypatch.setattr(_ahead, "_BYTES", 1)
    x, y = np.empty_like(BATCHES[0][0]), np.empty_like(BATCHES[0][1])

    def source() -> Iterator[Any]:
        for batch in BATCHES:
            x[...], y[...] = batch
            yield x, y

    model.fit(source(), verbose=0)
    other.fit(iter(BATCHES), verbose=0)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE)


@pytest.mark.parametrize(
    "odd",
    [
        lambda x, y: (x[:1], y[:1]),
        lambda x, y: (x.astype("float64"), y),
        lambda x, y: [x, y],
        lambda x, y: (keras.ops.convert_to_tensor(x), y),
        lambda x, y: (x, y, np.ones(2, "float32")),
    ],
    ids=["smaller", "wider", "a list", "a tensor", "weighted"],
)
def test_batches_of_another_form_keep_their_place(backend: Backend, odd: Any) -> None:
    batches = [odd(*b) if i in (0, 5, 9) else b for i, b in enumerate(BATCHES)]
    model, other = warmed(), warmed()
    model.fit(iter(batches), verbose=0)
    other.fit(iter(batches), verbose=0, callbacks=[one_by_one()])
    assert int(model.optimizer.iterations) == len(batches)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE)


def test_nothing_waits_longer_than_its_time(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = warmed()
    monkeypatch.setattr(_ahead, "_SECONDS", 0.0)
    seen = dispatches(monkeypatch, model)
    model.fit(iter(BATCHES), verbose=0)
    assert seen == [1] * len(BATCHES)


def test_large_batches_are_run_one_by_one(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = warmed()
    seen = dispatches(monkeypatch, model)
    size = BATCHES[0][0].nbytes + BATCHES[0][1].nbytes
    monkeypatch.setattr(_ahead, "_BYTES", 8 * size - 1)
    model.fit(iter(BATCHES), verbose=0)
    assert seen == [1] * len(BATCHES)


def test_any_number_of_batches_is_one_program(backend: Backend) -> None:
    model = warmed()
    traces = model._step("train").traces
    for count in (1, 3, 7, 10):
        model.fit(iter(BATCHES[:count]), verbose=0)
    assert model._step("train").traces == traces


def test_evaluation_takes_batches_ahead_too(backend: Backend) -> None:
    model = linear()
    expected = model.evaluate(X, Y, batch_size=2, verbose=0)
    counts = []

    def source() -> Iterator[Any]:
        for batch in BATCHES:
            counts.append(float(model.metrics[0].count))
            yield batch

    for _ in range(4):
        counts.clear()
        found = model.evaluate(source(), verbose=0)
    assert counts[1:] == [2.0 * i for i in range(1, 10)]
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE)
    found = model.evaluate(iter(BATCHES), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE)
