"""boston_housing and california_housing on small files, digits on its own."""

import numpy as np
import pytest

from polykeras.datasets import boston_housing, california_housing, digits
from polykeras.errors import ArgumentError, DataError


def write(path, rows, features, dtype):
    x = np.arange(rows * features, dtype=dtype).reshape(rows, features)
    np.savez(path, x=x, y=np.arange(rows, dtype=dtype))
    return x


def test_boston_housing_order_and_split(folders, offline):
    own, _ = folders
    x = write(own / "boston_housing.npz", 10, 13, "float64")
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data()
    order = np.arange(10)
    np.random.RandomState(113).shuffle(order)
    assert y_train.tolist() + y_test.tolist() == order.tolist()
    assert x_train.shape == (8, 13)
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), x[order])
    assert x_train.dtype == np.float64


def test_boston_housing_split_of_nothing(folders, offline, tmp_path):
    write(tmp_path / "mine.npz", 10, 13, "float64")
    (x_train, _), (x_test, y_test) = boston_housing.load_data(
        path=str(tmp_path / "mine.npz"), test_split=0, seed=1
    )
    assert len(x_train) == 10
    assert len(x_test) == len(y_test) == 0


@pytest.mark.parametrize(("version", "rows"), [("large", 700), ("small", 600)])
def test_california_housing_versions(folders, offline, version, rows):
    own, _ = folders
    write(own / "california_housing.npz", 700, 8, "float32")
    (x_train, y_train), (x_test, y_test) = california_housing.load_data(
        version=version, test_split=0.25
    )
    assert len(x_train) == len(y_train) == rows * 3 // 4
    assert len(x_test) == rows // 4
    assert sorted([*y_train, *y_test]) == list(range(rows))
    assert x_train.dtype == np.float32


def test_california_housing_unknown_version():
    with pytest.raises(ArgumentError, match="'large', 'small'"):
        california_housing.load_data(version="medium")


@pytest.mark.parametrize("module", [boston_housing, california_housing])
@pytest.mark.parametrize("test_split", [-0.1, 1.0, 20])
def test_test_split_is_checked(module, test_split):
    with pytest.raises(ArgumentError, match="test_split"):
        module.load_data(test_split=test_split)


def test_rows_and_targets_must_agree(folders, offline):
    own, _ = folders
    np.savez(own / "boston_housing.npz", x=np.zeros((4, 13)), y=np.zeros(3))
    with pytest.raises(DataError, match=r"\(4, 13\) and \(3,\)"):
        boston_housing.load_data()


def test_digits_needs_no_file(folders, offline):
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1437, 8, 8)
    assert x_test.shape == (360, 8, 8)
    for values in (x_train, y_train, x_test, y_test):
        assert values.dtype == np.uint8
    assert x_train.max() == 16
    # The publisher's counts of the test part, and each class is in both parts here.
    counts = np.bincount(np.concatenate([y_train, y_test]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(y_test).min() >= 25


def test_digits_are_the_same_each_time_and_not_shared():
    (first, _), _ = digits.load_data()
    before = first.copy()
    first[:] = 0
    (second, _), _ = digits.load_data()
    np.testing.assert_array_equal(second, before)


def test_digits_can_be_told_apart_by_their_neighbours():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    a = x_train.reshape(len(x_train), -1).astype("float64")
    b = x_test.reshape(len(x_test), -1).astype("float64")
    distances = (a**2).sum(1) - 2 * b @ a.T
    accuracy = np.mean(y_train[distances.argmin(1)] == y_test)
    assert accuracy > 0.97


@pytest.mark.real_data
def test_real_boston_housing(real_data):
    real_data("boston_housing.npz")
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data()
    assert x_train.shape == (404, 13)
    assert x_test.shape == (102, 13)
    assert x_train[0, 0] == pytest.approx(1.23247)
    assert y_train[0] == pytest.approx(15.2)
    assert len(y_test) == 102


@pytest.mark.real_data
def test_real_california_housing(real_data):
    real_data("california_housing.npz")
    (x_train, y_train), _ = california_housing.load_data()
    assert x_train.shape == (16512, 8)
    assert x_train.dtype == np.float32
    assert 14999 <= y_train.min() <= y_train.max() <= 500001
