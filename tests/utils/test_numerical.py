import numpy as np
import pytest

from polykeras.errors import DataError
from polykeras.utils import normalize, to_categorical

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("labels", [[0, 2, 1], (0, 2, 1), np.array([[0], [2], [1]])])
def test_one_hot_rows(labels):
    rows = to_categorical(labels)
    assert rows.dtype == np.float64
    assert rows.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize("shape", [(), (4,), (4, 3), (2, 1, 3), (1,), (0,)])
def test_shapes_and_round_trip(shape):
    labels = RNG.integers(0, 5, shape)
    rows = to_categorical(labels, num_classes=6)
    assert rows.shape == (*shape, 6)
    np.testing.assert_array_equal(rows.argmax(-1), labels)
    np.testing.assert_array_equal(rows.sum(-1), np.ones(shape))


def test_last_axis_of_one_is_dropped():
    assert to_categorical(np.zeros((2, 3, 1), "uint8"), 4).shape == (2, 3, 4)


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_labels_out_of_range_are_named(labels):
    bad = next(label for label in labels if label)
    with pytest.raises(DataError, match=rf"from 0 to 2 .*got {bad}\."):
        to_categorical(labels, num_classes=3)


@pytest.mark.parametrize("labels", [[0.5, 1.0], [float("nan")]])
def test_fractions_are_refused(labels):
    with pytest.raises(DataError, match="that are not integers"):
        to_categorical(labels)


def test_whole_floats_are_labels():
    assert to_categorical(np.array([1.0, 0.0])).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("num_classes", [None, 4])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (2, 3)])
def test_tensors_give_tensors(backend, num_classes, shape):
    labels = np.arange(np.prod(shape)).reshape(shape) % 4
    labels.flat[-1] = 3
    rows = to_categorical(backend.convert_to_tensor(labels), num_classes)
    assert backend.is_tensor(rows)
    np.testing.assert_array_equal(
        backend.to_numpy(rows), to_categorical(labels, num_classes)
    )


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_vectors_get_norm_one(axis, order):
    x = RNG.normal(size=(4, 5, 3))
    result = normalize(x, axis=axis, order=order)
    assert result.shape == x.shape
    norms = (np.abs(result) ** order).sum(axis) ** (1 / order)
    np.testing.assert_allclose(norms, 1, rtol=1e-14)


def test_zeros_stay_and_dtype_is_kept():
    x = np.array([[3, 4], [0, 0]], dtype="float32")
    result = normalize(x)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, [[0.6, 0.8], [0, 0]], rtol=2**-23)
    assert normalize([3, 4]).dtype == np.float64


def test_the_argument_is_not_changed():
    x = np.array([3.0, 4.0])
    normalize(x)
    assert x.tolist() == [3, 4]


@pytest.mark.parametrize("axis", [-1, 0])
def test_normalize_of_a_tensor_is_a_tensor(backend, axis):
    x = RNG.normal(size=(4, 5)).astype("float32")
    result = normalize(backend.convert_to_tensor(x), axis=axis)
    assert backend.is_tensor(result)
    # A sum of five squares, a root and a division: below 8 roundings.
    np.testing.assert_allclose(
        backend.to_numpy(result), normalize(x, axis=axis), rtol=8 * 2**-23
    )
