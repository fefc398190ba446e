"""Memory: what is not referred to any more is given back."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any, Final

import numpy as np

import polykeras as keras
from polykeras import layers, ops
from polykeras.backend import Backend

X: Final = np.ones((8, 6), np.float32)
ROUNDS: Final = 12
# What caches that fill up once, and counters that grow a digit, may add a round.
SLACK: Final = 2048


def _model() -> Any:
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(6, "relu"), layers.Dense(2)]
    )
    model.compile("adam", "mse")
    return model


def _growth(work: Callable[[], object]) -> float:
    """Return the bytes of Python objects that a round of work leaves behind.

    The less of two measurements: Python's pools of small objects fill up once.
    """
    for _ in range(3):
        work()
    tracemalloc.start()
    try:
        return min(_growth_of_rounds(work), _growth_of_rounds(work))
    finally:
        tracemalloc.stop()


def _growth_of_rounds(work: Callable[[], object]) -> float:
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(ROUNDS):
        work()
    gc.collect()
    return (tracemalloc.get_traced_memory()[0] - before) / ROUNDS


def test_ops_keep_nothing(backend: Backend) -> None:
    x = ops.convert_to_tensor(X)

    def work() -> None:
        ops.sum(ops.tanh(ops.matmul(x, ops.transpose(x))))

    growth = _growth(work)
    assert growth < SLACK, f"{growth:.0f} bytes stay behind each round"


def test_gradients_keep_nothing(backend: Backend) -> None:
    slope = keras.grad(lambda x: ops.sum(ops.tanh(x) ** 2))
    x = ops.convert_to_tensor(X)
    growth = _growth(lambda: slope(x))
    assert growth < SLACK, f"{growth:.0f} bytes stay behind each round"


def test_steps_keep_nothing(backend: Backend) -> None:
    model = _model()
    growth = _growth(lambda: model.train_on_batch(X, X[:, :2]))
    assert growth < SLACK, f"{growth:.0f} bytes stay behind each step"


def test_compiled_functions_keep_nothing(backend: Backend) -> None:
    compiled = backend.compile(lambda x: ops.sum(ops.exp(x)))
    x = ops.convert_to_tensor(X)
    growth = _growth(lambda: compiled(x))
    assert growth < SLACK, f"{growth:.0f} bytes stay behind each call"


def test_models_die_with_their_last_reference(backend: Backend) -> None:
    model = _model()
    model.fit(X, X[:, :2], epochs=1, verbose=0)
    model.predict(X, verbose=0)
    dying = [weakref.ref(model), weakref.ref(model.layers[0].kernel)]
    del model
    gc.collect()
    assert [ref() for ref in dying] == [None, None]
