"""No setting of an engine changes behind its user's back; 64 bits work on all."""

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.backend import use_backend
from tests.conftest import BACKENDS


def settings():
    """Return the process-wide settings of every installed engine."""
    found = {"numpy": np.geterr()}
    if "torch" in BACKENDS:
        import torch

        found["torch"] = (
            torch.get_default_dtype(),
            torch.get_default_device(),
            torch.get_num_threads(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.initial_seed(),
        )
    if "jax" in BACKENDS:
        import jax

        found["jax"] = (
            jax.config.jax_enable_x64,
            jax.config.jax_default_matmul_precision,
            jax.config.jax_default_device,
            jax.config.jax_numpy_dtype_promotion,
        )
    return found


def work(dtype):
    layer = layers.Dense(2, dtype=dtype)
    model = keras.Sequential([keras.Input((3,), dtype=dtype), layer])
    model.compile("adam", "mse")
    x = np.ones((4, 3), dtype)
    y = np.ones((4, 2), dtype)
    losses = model.fit(x, y, epochs=2, verbose=0).history["loss"]
    model.evaluate(x, y, verbose=0)
    return model, losses, model.predict(x, verbose=0)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_training_changes_no_setting(backend, dtype):
    before = settings()
    model, losses, predicted = work(dtype)
    assert all(np.isfinite(losses))
    ops.log(ops.array([-1.0, 0.0]))  # warns in NumPy where nobody prevents it
    assert settings() == before
    assert {v.dtype for v in model.trainable_variables} == {dtype}
    assert predicted.dtype.name == dtype


def test_error_inside_a_step_changes_no_setting(backend):
    class Broken(layers.Layer):
        def call(self, x):
            if not isinstance(x, keras.KerasTensor) and ops.shape(x)[0] == 4:
                raise KeyError("broken")
            return x

    model = keras.Sequential([keras.Input((3,)), layers.Dense(1), Broken()])
    model.compile("sgd", "mse")
    before, name = settings(), keras.backend.backend()
    with pytest.raises(KeyError, match="broken"):
        model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    assert settings() == before
    assert keras.backend.backend() == name


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint64", "complex128"])
def test_64_bits_in_eager_ops(backend, dtype):
    x = ops.array([1, 2, 3], dtype=dtype)
    assert backend.dtype_name(x) == dtype
    y = ops.add(ops.multiply(x, x), 1)
    assert backend.dtype_name(y) == dtype
    assert ops.convert_to_numpy(y).tolist() == [2, 5, 10]
    assert backend.dtype_name(ops.concatenate([y, x])) == dtype
    assert backend.dtype_name(ops.where(ops.equal(x, x), x, y)) == dtype


def test_big_integers_keep_their_digits(backend):
    big = 2**53 + 1
    x = ops.array([big], dtype="int64")
    assert int(ops.convert_to_numpy(ops.add(x, 1))[0]) == big + 1
    v = keras.Variable(np.array([big]))
    v.assign_add(2)
    assert int(v.numpy()[0]) == big + 2


def test_64_bits_under_derivatives(backend):
    def f(x):
        return ops.sum(ops.sin(x) * x)

    x = np.array([0.3, 1.7])
    value, gradient = keras.value_and_grad(f)(x)
    assert backend.dtype_name(value) == backend.dtype_name(gradient) == "float64"
    exact = np.sin(x) + x * np.cos(x)
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), exact, rtol=1e-15)
    second = keras.grad(lambda y: ops.sum(keras.grad(f)(y)))(x)
    exact = 2 * np.cos(x) - x * np.sin(x)
    np.testing.assert_allclose(ops.convert_to_numpy(second), exact, rtol=1e-14)


def test_64_bits_in_training_agree_to_their_precision():
    results = []
    for name in BACKENDS:
        with use_backend(name):
            keras.utils.set_random_seed(3)
            results.append(work("float64")[1:])
    for losses, predicted in results[1:]:
        np.testing.assert_allclose(losses, results[0][0], rtol=1e-12)
        np.testing.assert_allclose(predicted, results[0][1], rtol=1e-12)


# -- tensors of other libraries --------------------------------------------------


@pytest.mark.parametrize("other", BACKENDS)
def test_foreign_tensors_are_converted(backend, other):
    with use_backend(other):
        foreign = ops.array([[1.0, 2.0], [3.0, 4.0]])
        counts = ops.array([1, 2], dtype="int64")
    assert ops.convert_to_numpy(ops.sum(foreign)) == 10
    assert ops.convert_to_numpy(ops.add(foreign, foreign)).tolist() == [[2, 4], [6, 8]]
    assert backend.is_tensor(ops.convert_to_tensor(foreign))
    assert backend.dtype_name(ops.convert_to_tensor(counts)) == "int64"
    assert layers.Dense(3)(foreign).shape == (2, 3)


class Unconvertible:
    shape = (2, 3)
    dtype = "float32"

    def __dlpack__(self, **kwargs):
        raise BufferError("it lives on a device of its own")

    def __dlpack_device__(self):
        return (1, 0)


def test_foreign_tensor_that_cannot_be_converted(backend):
    Unconvertible.__module__ = "otherlib.tensors"
    with pytest.raises(keras.errors.ForeignTensorError) as caught:
        ops.exp(Unconvertible())
    text = str(caught.value)
    assert f"active backend is {backend.name!r}" in text
    assert "a tensor of 'otherlib'" in text
    assert "shape (2, 3)" in text
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(
    "value",
    [[[1.0], [2.0, 3.0]], [object()], {1, 2}, "text"],
    ids=["ragged", "objects", "set", "text"],
)
def test_what_is_no_array(backend, value):
    with pytest.raises((ValueError, TypeError), match=r"array|numbers|string|dtype"):
        ops.exp(value)


def test_read_only_and_strided_arrays(backend):
    x = np.arange(12.0, dtype="float32").reshape(3, 4)[::2, ::-1]
    x.flags.writeable = False
    y = ops.convert_to_tensor(x)
    np.testing.assert_array_equal(ops.convert_to_numpy(y), x)
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.add(x, 1)), x + 1)


def test_compiled_functions_may_ask_for_64_bits(backend):
    def third(x):
        return ops.divide(ops.cast(x, "float64"), 3)

    compiled = backend.compile(third)
    x = ops.convert_to_tensor([1.0, 2.0])
    for _ in range(2):
        y = compiled(x)
        assert ops.dtype(y) == "float64"
        np.testing.assert_array_equal(
            ops.convert_to_numpy(y), np.array([1.0, 2.0]) / 3.0
        )
