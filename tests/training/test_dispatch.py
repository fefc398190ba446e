"""Many steps in one dispatch: same results, prompt callbacks, few programs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.training import _dispatch
from polykeras.training._dispatch import Backlog, DispatchPlan, Pace, capacity_for
from polykeras.training.data import Rows, _arrays
from tests.training._models import X, Y

# Sums of at most 20 products over at most 30 steps, in float32.
TOLERANCE = 20 * 30 * np.finfo("float32").eps
LABELS = (X[:, 0] > 0).astype("int32")


def noisy(**settings: Any) -> keras.Model:
    """Return a model with state and random draws in its step."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(2),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], **settings)
    return model


def each_batch(**hooks: Any) -> keras.callbacks.Callback:
    """Return a callback that acts on every training batch."""
    return keras.callbacks.LambdaCallback(
        **{"on_train_batch_end": lambda *_: None} | hooks
    )


def groups_of(model: keras.Model, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of batches of each training dispatch."""
    seen: list[int] = []
    make = model._step

    def step(kind: str) -> Any:
        made = make(kind)
        if kind != "train":
            return made

        class Noting:
            plan = staticmethod(made.plan)

            def __call__(self, group: Any) -> Any:
                seen.append(len(group))
                return made(group)

        return Noting()

    monkeypatch.setattr(model, "_step", step)
    return seen


@pytest.mark.parametrize("batch_size", [4, 6])
def test_a_loop_gives_what_single_steps_give(backend: Backend, batch_size: int) -> None:
    data: dict[str, Any] = {
        "batch_size": batch_size,
        "epochs": 6,
        "verbose": 0,
        "validation_data": (X[:7], LABELS[:7]),
    }
    loop, single = noisy(), noisy()
    a = loop.fit(X, LABELS, **data)
    b = single.fit(X, LABELS, callbacks=[each_batch()], **data)
    assert list(a.history) == list(b.history)
    for name, values in a.history.items():
        np.testing.assert_allclose(values, b.history[name], TOLERANCE, TOLERANCE)
    for v, w in zip(loop.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_allclose(v, w, TOLERANCE, TOLERANCE)
    assert loop._draws == single._draws


def test_unobserved_steps_share_dispatches_where_loops_pay(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = noisy()
    seen = groups_of(model, monkeypatch)
    model.fit(X, LABELS, batch_size=2, epochs=4, verbose=0)
    assert sum(seen) == 40
    pays = backend.capabilities.compile and backend.loops_well({"matmul"})
    assert (len(seen) < 40) == pays


def test_a_callback_for_batches_sees_each(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    ended: list[int] = []
    watch = each_batch(
        on_train_batch_begin=lambda batch, logs: begun.append(batch),
        on_train_batch_end=lambda batch, logs: ended.append(batch),
    )
    model = noisy()
    seen = groups_of(model, monkeypatch)
    model.fit(X, LABELS, batch_size=2, epochs=2, verbose=0, callbacks=[watch])
    assert begun == ended == [*range(10)] * 2
    assert seen == [1] * 20


def test_callbacks_for_epochs_and_the_bar_cost_no_dispatch(
    tmp_path: Any, capsys: pytest.CaptureFixture[str], backend: Backend
) -> None:
    model = noisy()
    callbacks = [
        keras.callbacks.ModelCheckpoint(tmp_path / "model.keras"),
        keras.callbacks.BackupAndRestore(tmp_path / "backup"),
        keras.callbacks.EarlyStopping("loss"),
    ]
    observers = model._observers(callbacks, 1, 1, 10, add_history=True)
    assert not observers.acts_on_batches("train")
    observers.append(keras.callbacks.TerminateOnNaN())
    assert observers.acts_on_batches("train")
    assert not observers.acts_on_batches("test")
    model.fit(X, LABELS, batch_size=2, verbose=2, callbacks=callbacks)
    assert "10/10" in capsys.readouterr().out


def test_convolutions_stay_out_of_loops_that_slow_them(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []
    cls = type(backend)
    monkeypatch.setattr(
        cls, "loops_well", lambda self, ops: bool(seen.append(set(ops)))
    )
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3), keras.layers.Flatten()]
    )
    model.compile("sgd", "mse")
    groups = groups_of(model, monkeypatch)
    x, y = np.ones((6, 4, 4, 1), "float32"), np.ones((6, 4), "float32")
    model.fit(x, y, batch_size=2, epochs=2, verbose=0)
    assert groups == [1] * 6
    if backend.capabilities.compile and not backend.capabilities.eager:
        assert "conv_general" in seen[0]


def test_predict_and_evaluate_do_not_depend_on_the_loop(backend: Backend) -> None:
    model = noisy()
    whole = model.predict(X, batch_size=20, verbose=0)
    for size in (3, 5):
        for _ in range(3):
            got = model.predict(X, batch_size=size, verbose=0)
            np.testing.assert_allclose(got, whole, TOLERANCE, TOLERANCE)
    seen: list[tuple[int, Any]] = []
    watch = keras.callbacks.LambdaCallback()
    watch.on_predict_batch_end = lambda batch, logs: seen.append(
        (batch, np.shape(logs["outputs"]))
    )
    model.predict(X, batch_size=8, verbose=0, callbacks=[watch])
    assert seen == [(0, (8, 2)), (1, (8, 2)), (2, (4, 2))]
    one = model.evaluate(X, LABELS, batch_size=20, verbose=0)
    many = model.evaluate(X, LABELS, batch_size=2, verbose=0)
    np.testing.assert_allclose(one, many, rtol=TOLERANCE)


@pytest.mark.parametrize("block", [1, 10**6])
def test_data_beyond_the_budget_are_streamed_in_blocks(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    settings: dict[str, Any] = {"batch_size": 3, "epochs": 4, "verbose": 0}
    resident, streamed = noisy(), noisy()
    a = resident.fit(X, LABELS, **settings)
    monkeypatch.setattr(_arrays, "_RESIDENT_BYTES", 10)
    monkeypatch.setattr(_arrays, "_BLOCK_BYTES", block)
    b = streamed.fit(X, LABELS, **settings)
    np.testing.assert_allclose(a.history["loss"], b.history["loss"], rtol=TOLERANCE)
    # The last batch is smaller, which makes two programs, streamed or not.
    assert resident._steps["train"].traces == streamed._steps["train"].traces
    np.testing.assert_allclose(
        resident.predict(X, batch_size=6, verbose=0),
        streamed.predict(X, batch_size=6, verbose=0),
        TOLERANCE,
        TOLERANCE,
    )


def test_steps_that_return_plain_numbers_and_dicts_run_in_loops(
    backend: Backend,
) -> None:
    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.seen = keras.Variable(0, dtype="int32", trainable=False)

        def train_step(self, data: Any) -> dict[str, Any]:
            self.seen.assign_add(1)
            return {"seen": self.seen, "half": 0.5}

    model = Model()
    model.compile()
    history = model.fit(X, Y, batch_size=4, epochs=3, verbose=0).history
    assert history == {"seen": [5.0, 10.0, 15.0], "half": [0.5] * 3}


def test_a_failing_step_keeps_those_before(backend: Backend) -> None:
    # Recorded steps run one by one; a loop fails as a whole, at its first call.
    failing_call = 3 if backend.capabilities.eager else 1
    model = noisy(jit_compile=True)
    model.fit(X, LABELS, batch_size=5, verbose=0)
    step = model._steps["train"]
    program = step._on_rows.popitem()
    calls: list[int] = []

    def failing(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == failing_call:
            raise ArithmeticError("no further")
        return program[1](*args)

    step._on_rows[program[0]] = failing
    before = int(model.optimizer.iterations)
    with pytest.raises(ArithmeticError, match="no further"):
        model.fit(X, LABELS, batch_size=5, verbose=0)
    assert int(model.optimizer.iterations) == before + failing_call - 1


def test_capacity_is_a_power_of_two_that_holds_the_epoch() -> None:
    assert [capacity_for(32, n) for n in (1, 2, 3, 200)] == [1, 2, 4, 256]
    assert capacity_for(32, None) == capacity_for(32, 10**6) == _dispatch.MOST_STEPS
    assert capacity_for(2**17, 100) == 2
    assert capacity_for(2**20, 100) == 1


def test_pace_doubles_until_a_dispatch_fills_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(_dispatch.time, "perf_counter", lambda: clock[0])
    waited: list[int] = []

    def wait(result: int) -> None:
        # Each step takes 10 ms.
        waited.append(result)
        clock[0] += 0.01 * result

    pace = Pace(wait)
    sizes = []
    for _ in range(7):
        sizes.append(pace.size)
        pace.note(pace.size, pace.size, clock[0])
    assert sizes == [1, 1, 2, 4, 8, 10, 10]
    assert waited == sizes[:-1]
    known = Pace(wait)
    for size in (2, 4, 8, 10, 10):
        known.took(known.size, 0.01 * known.size)
        assert known.size == size
    known.took(10, 1000.0)
    assert known.size == 5
    plan = DispatchPlan(1, capacity=4, pace=pace)
    assert (plan.batches, plan.rows) == (1, 4)
    assert DispatchPlan(3, capacity=8).rows == 3


def test_two_calls_are_under_way_at_most() -> None:
    under_way: list[int] = []
    backlog = Backlog(lambda result: under_way.remove(result["loss"]))
    for number in range(5):
        under_way.append(number)
        backlog.add({"loss": number})
        assert under_way == [n for n in (number - 1, number) if n >= 0]


def test_rows_are_padded_to_what_was_compiled() -> None:
    numbers = np.arange(6, dtype=np.int32).reshape(2, 3)
    rows = Rows([], None, numbers, 4, samples=6, pads=False, in_order=True)
    assert len(rows) == 2
    np.testing.assert_array_equal(rows.padded()[:2], numbers)
    assert rows.padded().shape == (4, 3)
