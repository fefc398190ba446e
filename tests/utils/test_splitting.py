import numpy as np
import pytest

from polykeras.errors import ArgumentError, DataError
from polykeras.utils import split_dataset


@pytest.mark.parametrize(
    "sizes, lengths",
    [
        ({"left_size": 0.8}, (8, 2)),
        ({"left_size": 3}, (3, 7)),
        ({"right_size": 0.25}, (8, 2)),
        ({"right_size": 4}, (6, 4)),
        ({"left_size": 0.5, "right_size": 2}, (5, 2)),
    ],
)
def test_sizes(sizes, lengths):
    x = np.arange(10)
    left, right = split_dataset(x, **sizes)
    assert left.tolist() == list(range(lengths[0]))
    assert right.tolist() == list(range(10 - lengths[1], 10))


def test_structure_is_kept():
    data = ({"a": np.arange(6), "b": np.arange(12).reshape(6, 2)}, np.arange(6))
    (x, y), (x_right, y_right) = split_dataset(data, left_size=4)
    assert x["b"].shape == (4, 2)
    assert x_right["b"].tolist() == [[8, 9], [10, 11]]
    assert y.tolist() == [0, 1, 2, 3]
    assert y_right.tolist() == x_right["a"].tolist() == [4, 5]


def test_shuffle_keeps_samples_together_and_repeats():
    data = (np.arange(20), -np.arange(20))
    (x, y), (x_right, y_right) = split_dataset(
        data, left_size=0.75, shuffle=True, seed=3
    )
    np.testing.assert_array_equal(x, -y)
    np.testing.assert_array_equal(x_right, -y_right)
    assert sorted([*x, *x_right]) == list(range(20))
    assert x.tolist() != list(range(15))
    again, _ = split_dataset(data, left_size=0.75, shuffle=True, seed=3)
    np.testing.assert_array_equal(again[0], x)


@pytest.mark.parametrize("shuffle", [False, True])
def test_tensors_stay_tensors(backend, shuffle):
    x = np.arange(8, dtype="float32")
    left, right = split_dataset(
        backend.convert_to_tensor(x), left_size=6, shuffle=shuffle, seed=0
    )
    assert backend.is_tensor(left)
    assert backend.is_tensor(right)
    both = np.concatenate([backend.to_numpy(left), backend.to_numpy(right)])
    np.testing.assert_array_equal(np.sort(both), x)


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"left_size": 0},
        {"left_size": 10},
        {"left_size": 1.5},
        {"left_size": 0.01},
        {"right_size": -1},
        {"left_size": "half"},
        {"left_size": True},
        {"left_size": 6, "right_size": 6},
        {"left_size": 0.6, "right_size": 0.6},
    ],
)
def test_sizes_that_cannot_be(sizes):
    with pytest.raises(ArgumentError, match="Expected"):
        split_dataset(np.arange(10), **sizes)


def test_lengths_that_differ():
    with pytest.raises(DataError, match=r"\(3,\), \(4, 2\)"):
        split_dataset((np.zeros(3), np.zeros((4, 2))), left_size=1)


@pytest.mark.parametrize("dataset", [[1, 2, 3], [], 3, np.float32(3)])
def test_something_without_samples(dataset):
    with pytest.raises(DataError, match="Expected an array"):
        split_dataset(dataset, left_size=1)
