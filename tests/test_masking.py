import gc

import numpy as np

from polykeras import ops
from polykeras.masking import _masks, get_mask, set_mask


def test_mask_follows_its_tensor(backend):
    x, other = ops.ones((2, 3)), ops.ones((2, 3))
    mask = ops.array([[True, False, True]] * 2)
    set_mask(x, mask)
    assert get_mask(x) is mask
    assert get_mask(other) is None
    set_mask(x, None)
    assert get_mask(x) is None


def test_entry_vanishes_with_its_tensor(backend):
    gc.collect()
    before = len(_masks)
    for _ in range(10):
        set_mask(ops.ones((2,)), ops.array([True, False]))
    gc.collect()
    assert len(_masks) == before


def test_later_tensor_at_the_same_address_has_no_mask():
    gc.collect()
    before = len(_masks)
    mask = np.array([True])
    for _ in range(200):
        x = np.ones(1)
        assert get_mask(x) is None
        set_mask(x, mask)
        del x
    assert len(_masks) == before


def test_values_that_carry_no_mask(backend):
    assert get_mask(3.0) is None
    assert get_mask(None) is None
    assert get_mask([1, 2]) is None
