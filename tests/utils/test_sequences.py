import numpy as np
import pytest

from polykeras.errors import ArgumentError, DataError
from polykeras.utils import pad_sequences

SEQUENCES = [[1], [2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
        ({"padding": "post"}, [[1, 0, 0], [2, 3, 0], [4, 5, 6]]),
        ({"value": -1}, [[-1, -1, 1], [-1, 2, 3], [4, 5, 6]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [4, 5]]),
        (
            {"maxlen": 4, "padding": "post", "truncating": "post"},
            [[1, 0, 0, 0], [2, 3, 0, 0], [4, 5, 6, 0]],
        ),
        ({"maxlen": 0}, [[], [], []]),
    ],
)
def test_padding_and_truncating(arguments, expected):
    result = pad_sequences(SEQUENCES, **arguments)
    assert result.dtype == np.int32
    assert result.tolist() == expected


def test_object_array_of_lists():
    sequences = np.empty(2, dtype=object)
    sequences[0], sequences[1] = [1, 2], [3]
    assert pad_sequences(sequences, maxlen=3).tolist() == [[0, 1, 2], [0, 0, 3]]


def test_vectors_in_sequences():
    result = pad_sequences([np.ones((2, 3)), np.ones((1, 3))], dtype="float32")
    assert result.shape == (2, 2, 3)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result[1], [[0, 0, 0], [1, 1, 1]])


def test_empty_sequences():
    assert pad_sequences([[], [1]]).tolist() == [[0], [1]]
    assert pad_sequences([[], []], maxlen=2).tolist() == [[0, 0], [0, 0]]
    assert pad_sequences([]).shape == (0, 0)


def test_strings():
    result = pad_sequences([["a"], ["bc", "d"]], dtype=object, value="<pad>")
    assert result.tolist() == [["<pad>", "a"], ["bc", "d"]]
    with pytest.raises(ArgumentError, match="dtype=object"):
        pad_sequences([["a"]], value="<pad>")


@pytest.mark.parametrize("argument", ["padding", "truncating"])
def test_unknown_side(argument):
    with pytest.raises(ArgumentError, match=rf"Unknown {argument} 'pst'.*'post'"):
        pad_sequences(SEQUENCES, **{argument: "pst"})


@pytest.mark.parametrize("sequences", [3, iter([[1]])])
def test_something_without_length(sequences):
    with pytest.raises(DataError, match="Expected a list of sequences"):
        pad_sequences(sequences)


def test_element_that_is_no_sequence():
    with pytest.raises(DataError, match="got 2 at position 1"):
        pad_sequences([[1], 2])


def test_shapes_that_differ():
    with pytest.raises(DataError, match=r"got \(2, 4\) at position 1"):
        pad_sequences([np.ones((2, 3)), np.ones((2, 4))])
