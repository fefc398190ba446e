"""Arrays as arguments of compiled functions: moved by the call, or read in place."""

import numpy as np
import pytest

from polykeras.backend import ALIGNMENT, Buffers, get_backend

pytest.importorskip("jax")

WIDE = (1 << 10, 32)


def shifted(by: int) -> np.ndarray:
    """Return a large array whose memory begins `by` bytes after a boundary."""
    memory = Buffers(0).empty((WIDE[0] * WIDE[1] * 4 + by,), np.dtype(np.uint8))
    array = memory[by:].view(np.float32).reshape(WIDE)
    array[...] = np.arange(array.size).reshape(WIDE)
    return array


def test_small_and_aligned_arrays_are_taken_as_they_are():
    jax = get_backend("jax")
    for x in (np.ones(3, np.float32), shifted(0)):
        assert jax.argument(x) is x


def test_others_are_aligned_once_for_all_calls():
    jax = get_backend("jax")
    x = shifted(16)
    argument = jax.argument(x)
    assert argument.ctypes.data % ALIGNMENT == 0
    np.testing.assert_array_equal(argument, x)


def test_a_program_takes_arguments_and_tensors_alike():
    jax = get_backend("jax")
    traces = []

    def total(x):
        traces.append(x)
        return x.sum()

    run, x = jax.compile(total), shifted(16)
    assert float(run(jax.argument(x))) == float(run(jax.from_numpy(x, "float32")))
    assert len(traces) == 1


@pytest.mark.parametrize("take", ["argument", "from_numpy"])
def test_64_bits_keep_their_width(take):
    jax = get_backend("jax")
    run = jax.compile(lambda x: x * 2)
    for dtype in ("float32", "float64", "float32", "int64", "int32"):
        x = np.ones(2, dtype)
        given = jax.argument(x) if take == "argument" else jax.from_numpy(x, dtype)
        assert jax.dtype_name(run(given)) == dtype
