"""Interchange: with NumPy, through DLPack, by pickle and by copy."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.backend import REFERENCE, Array, Backend, get_backend
from polykeras.errors import ForeignTensorError

X = np.arange(6, dtype=np.float32).reshape(2, 3)


class Foreign:
    """A tensor of a library that polykeras does not know."""

    def __init__(self, values: Array) -> None:
        """Hold an array."""
        self.values = values
        self.shape = values.shape

    def __dlpack__(self, **kwargs: Any) -> Any:
        """Hand the array over."""
        return self.values.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        """Return the device of the array."""
        return self.values.__dlpack_device__()


class Broken(Foreign):
    """A tensor that cannot be handed over."""

    def __dlpack__(self, **kwargs: Any) -> Any:
        """Refuse."""
        raise BufferError("it lives elsewhere")


@pytest.mark.in_declared_dtypes
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool", "complex64"])
def test_numpy_goes_there_and_back(backend: Backend, dtype: str) -> None:
    source = X.astype(dtype)
    x = ops.convert_to_tensor(source)
    assert ops.dtype(x) == dtype
    found = ops.convert_to_numpy(x)
    assert found.dtype == source.dtype
    np.testing.assert_array_equal(found, source)


def test_numpy_gets_values_that_later_steps_do_not_change(backend: Backend) -> None:
    variable = keras.Variable(X)
    before = variable.numpy()
    variable.assign_add(np.ones_like(X))
    np.testing.assert_array_equal(before, X)
    np.testing.assert_array_equal(variable.numpy(), X + 1)


def test_results_of_ops_can_be_written_by_their_owner(backend: Backend) -> None:
    x = ops.convert_to_tensor(X)
    values = np.array(ops.convert_to_numpy(x))
    values[:] = 7
    np.testing.assert_array_equal(ops.convert_to_numpy(x), X)


def test_foreign_tensors_come_through_dlpack(backend: Backend) -> None:
    x = ops.convert_to_tensor(Foreign(X))
    assert backend.is_tensor(x)
    np.testing.assert_array_equal(ops.convert_to_numpy(x), X)
    total = ops.add(Foreign(X), 1)
    np.testing.assert_array_equal(ops.convert_to_numpy(total), X + 1)


def test_tensors_that_cannot_be_converted_are_named(backend: Backend) -> None:
    with pytest.raises(ForeignTensorError) as caught:
        ops.add(Broken(X), 1)
    for word in (repr(backend.name), "Broken", "(2, 3)", "it lives elsewhere"):
        assert word in str(caught.value)


def test_tensors_of_the_reference_are_accepted(backend: Backend) -> None:
    other = get_backend(REFERENCE).from_numpy(X, "float32")
    total = ops.add(ops.convert_to_tensor(X), other)
    assert type(total) is backend.tensor_type
    np.testing.assert_array_equal(ops.convert_to_numpy(total), 2 * X)


def test_tensors_leave_through_dlpack(backend: Backend) -> None:
    x = ops.convert_to_tensor(X)
    if not hasattr(x, "__dlpack__"):
        return
    np.testing.assert_array_equal(np.from_dlpack(x), X)


def test_tensors_look_like_arrays(backend: Backend) -> None:
    x = ops.convert_to_tensor(X)
    np.testing.assert_array_equal(np.asarray(x), X)
    assert float(ops.sum(x)) == 15.0
    assert int(ops.max(x)) == 5
    assert f"{float(ops.mean(x)):.2f}" == "2.50"


def test_tensors_can_be_pickled(backend: Backend) -> None:
    x = ops.convert_to_tensor(X)
    again = pickle.loads(pickle.dumps(x))
    assert type(again) is type(x)
    assert ops.dtype(again) == "float32"
    np.testing.assert_array_equal(ops.convert_to_numpy(again), X)


def test_copies_of_models_have_tensors_of_their_own(backend: Backend) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.train_on_batch(X, X[:, :2])
    again, before = copy.deepcopy(model), model.get_weights()
    for a, b in zip(before, again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    again.train_on_batch(X, X[:, :2])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
