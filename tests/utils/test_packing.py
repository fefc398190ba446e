import numpy as np
import pytest

from polykeras.errors import DataError
from polykeras.utils import pack_x_y_sample_weight, unpack_x_y_sample_weight

X, Y, W = np.zeros((2, 3)), np.ones(2), np.full(2, 0.5)


@pytest.mark.parametrize("container", [tuple, list])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_unpack(container, count):
    parts = unpack_x_y_sample_weight(container((X, Y, W)[:count]))
    expected = [X, Y, W][:count] + [None] * (3 - count)
    assert all(a is b for a, b in zip(parts, expected, strict=True))


@pytest.mark.parametrize("x", [X, {"a": X}])
def test_unpack_of_bare_inputs(x):
    assert unpack_x_y_sample_weight(x) == (x, None, None) or (
        unpack_x_y_sample_weight(x)[0] is x
    )
    assert unpack_x_y_sample_weight(x)[1:] == (None, None)


@pytest.mark.parametrize("data", [(), (X, Y, W, W)])
def test_unpack_of_other_lengths(data):
    with pytest.raises(DataError, match=f"a tuple of {len(data)} elements"):
        unpack_x_y_sample_weight(data)


def test_pack():
    assert pack_x_y_sample_weight(X) is X
    assert pack_x_y_sample_weight((X, X)) == ((X, X),)
    assert pack_x_y_sample_weight(X, Y) == (X, Y)
    assert pack_x_y_sample_weight(X, Y, W) == (X, Y, W)


@pytest.mark.parametrize("parts", [(X,), ([X, X],), (X, Y), ({"a": X}, Y, W)])
def test_pack_and_unpack(parts):
    result = unpack_x_y_sample_weight(pack_x_y_sample_weight(*parts))
    for value, part in zip(result, parts, strict=False):
        assert value is part
