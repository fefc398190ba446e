"""Functions go through `mx.compile`, also where it is not the default."""

import shutil

import mlx.core as mx
import numpy as np
import pytest
from polykeras_mlx.backend import MLXBackend

import polykeras as keras
from polykeras import ops
from polykeras.backend import KernelTable, engine_scope


@pytest.fixture
def compiling():
    engine = MLXBackend(compile=True)
    engine.kernels = KernelTable(engine)
    with engine_scope(engine):
        yield engine


@pytest.mark.skipif(
    not mx.metal.is_available() and shutil.which("g++") is None,
    reason="on CPUs mx.compile calls g++, which is not here",
)
def test_a_training_step_is_traced_once(compiling):
    calls = []

    def step(w, x):
        calls.append(1)
        loss, slope = keras.value_and_grad(lambda w: ops.sum(ops.tanh(x @ w)))(w)
        return loss, w - 0.1 * slope

    compiled = compiling.compile(step)
    w, x = ops.array([[1.0, 2.0], [3.0, 4.0]]), ops.array([[1.0, -1.0]])
    loss, moved = compiled(w, x)
    compiled(moved, x)
    assert len(calls) == 1
    expected, expected_moved = step(w, x)
    np.testing.assert_allclose(float(loss), float(expected), rtol=1e-6)
    np.testing.assert_allclose(np.array(moved), np.array(expected_moved), rtol=1e-6)


def test_functions_that_look_at_values_run_as_they_stand(compiling):
    compiled = compiling.compile(lambda x: x * 2 if ops.sum(x) > 0 else x)
    assert compiled(ops.array([1.0, 2.0])).tolist() == [2.0, 4.0]
    assert compiled(ops.array([-1.0, -2.0])).tolist() == [-1.0, -2.0]


@pytest.mark.parametrize("said", ["0", "1"])
def test_the_environment_decides(said, monkeypatch):
    monkeypatch.setenv("POLYKERAS_MLX_COMPILE", said)
    assert MLXBackend().capabilities.compile == (said == "1")
