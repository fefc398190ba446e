"""Layer normalization where the library's kernel fails, in every form of a call."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.autodiff import grad, value_and_grad

pytest.importorskip("torch")

BIG = 2.0**66
ROWS = np.array([[4.0, 4.0, 2.0, 2.0], [3.0, -1.0, 0.0, 5.0]], np.float32)
LARGE = ROWS * np.array([[BIG], [1.0]], np.float32)


def cubes(x):
    return ops.sum(ops.power(ops.layer_normalization(x), 3))


@pytest.fixture
def backend():
    with keras.use_backend("torch") as found:
        yield found


def test_a_recorded_step_takes_the_values_of_each_call(backend):
    step = backend.compile(value_and_grad(cubes))
    for rows in (ROWS, LARGE, ROWS, LARGE):
        x = ops.convert_to_tensor(rows)
        for found, wanted in zip(step(x), value_and_grad(cubes)(x), strict=True):
            assert np.array_equal(found.numpy(), wanted.numpy())
    assert None not in step._programs.values()


def test_a_program_of_large_numbers_is_right_for_small_ones(backend):
    step = backend.compile(ops.layer_normalization)
    large, small = map(ops.convert_to_tensor, (LARGE, ROWS))
    assert np.array_equal(step(large)[0].numpy(), np.zeros(4))
    assert np.array_equal(step(small).numpy(), ops.layer_normalization(small).numpy())


def test_rows_of_a_vmap(backend):
    found = backend.vmap(ops.layer_normalization)(ops.convert_to_tensor(LARGE))
    wanted = ops.layer_normalization(ops.convert_to_tensor(LARGE))
    assert np.allclose(found.numpy(), wanted.numpy(), 1e-6)
    assert np.array_equal(found.numpy()[0], np.zeros(4))


@pytest.mark.parametrize("compiled", [False, True])
def test_second_derivatives(backend, compiled):
    def second(x):
        return grad(lambda y: ops.sum(ops.square(grad(cubes)(y))))(x)

    found = (backend.compile(second) if compiled else second)(
        ops.convert_to_tensor(LARGE)
    )
    with keras.use_backend("numpy"):
        wanted = second(ops.convert_to_tensor(LARGE))
    assert np.array_equal(found.numpy()[0], np.zeros(4))
    assert np.allclose(found.numpy(), wanted, 1e-3, 1e-5)


def test_nan_stays_in_its_row(backend):
    rows = ROWS.copy()
    rows[0, 1] = np.nan
    found = ops.layer_normalization(ops.convert_to_tensor(rows)).numpy()
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
