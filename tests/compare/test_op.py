"""One op over a grid of shapes and dtypes."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras.backend import installed_backends
from polykeras.compare._op import compare_op, shapes_of
from polykeras.errors import ArgumentError
from tests.compare._models import Faulty


@pytest.mark.parametrize("name", ["matmul", "conv2d", "softmax", "gelu", "argmax"])
def test_installed_backends_agree(name):
    report = compare_op(
        name, backends=installed_backends(), dtypes_tried=("float32", "bfloat16")
    )
    assert report.consistent, str(report)
    assert {item.engine for item in report.items} == set(installed_backends())


def test_shapes_replace_those_of_the_samples():
    report = compare_op("matmul", backends=["numpy"], shapes=[(7, 300), (300, 2)])
    (item,) = report.items
    assert item.shape == (7, 2)
    assert item.consistent


def test_a_wrong_op_is_found():
    half = Faulty(
        {"matmul": lambda right, x, y: right(x.astype("f2"), y).astype(x.dtype)}
    )
    report = compare_op("matmul", backends=[half], shapes=[(64, 64), (64, 64)])
    assert report.first_divergence.engine == "faulty"
    assert report.first_divergence.error.max_abs > 1e-4


def test_wrong_words_are_answered():
    with pytest.raises(ArgumentError, match="Did you mean 'matmul'"):
        compare_op("matmull", backends=["numpy"])
    with pytest.raises(ArgumentError, match="Did you mean 'float32'"):
        compare_op("exp", backends=["numpy"], dtypes_tried=["float3"])
    with pytest.raises(ArgumentError, match="takes 2 tensors here, but 1 shapes"):
        compare_op("matmul", backends=["numpy"], shapes=[(2, 2)])
    with pytest.raises(ArgumentError, match="such as 2x3,3x4"):
        shapes_of("2xa")
    assert np.prod(shapes_of("2x3")[0]) == 6
