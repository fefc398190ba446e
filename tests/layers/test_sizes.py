"""Sizes that users give as one int or one per spatial axis."""

from __future__ import annotations

from typing import Any

import pytest

from polykeras.errors import ArgumentError
from polykeras.layers._sizes import one_of, pairs_per_axis, per_axis, positive


@pytest.mark.parametrize(
    ("value", "rank", "expected"),
    [(3, 2, (3, 3)), ((1, 2), 2, (1, 2)), ([4], 1, (4,))],
)
def test_per_axis(value: Any, rank: int, expected: Any) -> None:
    assert per_axis("L", "size", value, rank) == expected


@pytest.mark.parametrize("value", [0, (1, 2, 3), (1, 2.0), "3", None, True])
def test_per_axis_refuses(value: Any) -> None:
    with pytest.raises(ArgumentError, match="L needs size"):
        per_axis("L", "size", value, 2)


@pytest.mark.parametrize(
    ("value", "rank", "expected"),
    [
        (1, 1, ((1, 1),)),
        ((1, 2), 1, ((1, 2),)),
        (1, 2, ((1, 1), (1, 1))),
        ((1, 2), 2, ((1, 1), (2, 2))),
        (((1, 2), (3, 4)), 2, ((1, 2), (3, 4))),
        ([[0, 1], 2, [3, 4]], 3, ((0, 1), (2, 2), (3, 4))),
    ],
)
def test_pairs_per_axis(value: Any, rank: int, expected: Any) -> None:
    assert pairs_per_axis("L", "padding", value, rank) == expected


@pytest.mark.parametrize("value", [-1, (1, 2, 3), ((1, 2),), ((1, -2), (1, 1)), None])
def test_pairs_per_axis_refuses(value: Any) -> None:
    with pytest.raises(ArgumentError, match="L needs padding"):
        pairs_per_axis("L", "padding", value, 2)


def test_words_and_counts() -> None:
    assert one_of("L", "padding", "SAME", ("same", "valid")) == "same"
    assert positive("L", "n", 3) == 3
    with pytest.raises(ArgumentError, match="Did you mean 'same'"):
        one_of("L", "padding", "smae", ("same", "valid"))
    with pytest.raises(ArgumentError, match="L needs a positive int n, got 0"):
        positive("L", "n", 0)
