"""The namespaces of ops hold the same objects as `polykeras.ops`."""

from __future__ import annotations

import pytest

from polykeras import ops


@pytest.mark.parametrize("module", [ops.linalg, ops.numpy], ids=["linalg", "numpy"])
def test_namespaces_repeat_the_ops(module):
    for name in module.__all__:
        assert getattr(module, name) is getattr(ops, name)


def test_image_ops_stand_apart():
    assert not set(ops.image.__all__) & set(ops.__all__)
