"""Concurrency: two threads, two backends, and tasks do not disturb each other."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.backend import (
    REFERENCE,
    Array,
    Backend,
    current_backend,
    engine_scope,
    get_backend,
)

X: Final = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
Y: Final = np.tanh(X[:, :1])


def _make(engine: Backend) -> Any:
    with engine_scope(engine):
        keras.utils.set_random_seed(4)
        model = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(5, "tanh"),
                layers.Dropout(0.3, seed=1),
                layers.Dense(1),
            ]
        )
        model.compile("adam", "mse")
    return model


def _train(model: Any) -> list[Array]:
    model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return list(model.get_weights())


def _in_threads(work: list[Callable[[], Any]]) -> list[Any]:
    start = threading.Barrier(len(work))

    def run(task: Callable[[], Any]) -> Any:
        start.wait(timeout=60)
        return task()

    with ThreadPoolExecutor(len(work)) as pool:
        # Each thread starts in the context of this one, as asyncio's do.
        contexts = [contextvars.copy_context() for _ in work]
        jobs = [pool.submit(c.run, run, t) for c, t in zip(contexts, work, strict=True)]
        return [job.result(timeout=300) for job in jobs]


@pytest.mark.parametrize("other", ["same backend", "reference"])
def test_two_threads_train_as_one_would(backend: Backend, other: str) -> None:
    second = backend if other == "same backend" else get_backend(REFERENCE)
    expected = [_train(_make(engine)) for engine in (backend, second)]
    models = [_make(engine) for engine in (backend, second)]
    found = _in_threads([lambda m=model: _train(m) for model in models])  # type: ignore[misc]
    for a, b in zip(found, expected, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


def test_gradients_of_two_threads_stay_apart(backend: Backend) -> None:
    def slope(power: int) -> Array:
        first = keras.grad(lambda x: ops.sum(x**power))
        second = keras.grad(lambda x: ops.sum(first(x)))
        x = ops.convert_to_tensor(np.full(3, 2.0, np.float32))
        for _ in range(20):
            found = ops.convert_to_numpy(second(x))
        return np.asarray(found)

    cubes, fourths = _in_threads([lambda: slope(3), lambda: slope(4)])
    np.testing.assert_allclose(cubes, 12.0, rtol=1e-6)
    np.testing.assert_allclose(fourths, 48.0, rtol=1e-6)


def test_a_choice_in_a_thread_is_its_own(backend: Backend) -> None:
    seen: list[str] = []

    def work() -> None:
        with engine_scope(get_backend(REFERENCE)):
            seen.append(current_backend().name)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [REFERENCE]
    assert current_backend() is backend


def test_tasks_keep_their_backends(backend: Backend) -> None:
    async def ask(engine: Backend) -> list[str]:
        names = []
        with engine_scope(engine):
            for _ in range(3):
                await asyncio.sleep(0)
                names.append(current_backend().name)
        return names

    async def both() -> list[list[str]]:
        return list(await asyncio.gather(ask(backend), ask(get_backend(REFERENCE))))

    assert asyncio.run(both()) == [[backend.name] * 3, [REFERENCE] * 3]
