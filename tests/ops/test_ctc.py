"""Connectionist temporal classification, against sums over all alignments."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from polykeras import ops
from polykeras.errors import ArgumentError, ShapeError
from tests.ops._checks import check_abstract, check_gradient, check_values, raised

RNG = np.random.default_rng(51)
LOGITS = RNG.normal(size=(4, 5, 3))
TARGET = np.array([[1, 2], [1, 1], [2, 0], [2, 1]], np.int32)
TARGET_LENGTH = np.array([2, 2, 1, 0], np.int32)
OUTPUT_LENGTH = np.array([5, 4, 3, 5], np.int32)


def collapse(path, blank):
    merged = [label for label, _ in itertools.groupby(path)]
    return tuple(label for label in merged if label != blank)


def all_sequences(logits, blank):
    """Return the probability of every label sequence."""
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    found = {}
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        key = collapse(path, blank)
        p = np.exp(sum(logs[t, label] for t, label in enumerate(path)))
        found[key] = found.get(key, 0.0) + p
    return found


@pytest.mark.parametrize("blank", [0, 2])
def test_loss(backend, blank):
    target = TARGET if blank == 0 else np.where(TARGET == 2, 0, TARGET)
    expected = [
        -np.log(all_sequences(x[:n], blank)[tuple(t[:m])])
        for x, t, m, n in zip(LOGITS, target, TARGET_LENGTH, OUTPUT_LENGTH, strict=True)
    ]

    def loss(t, x, tl, xl):
        return ops.ctc_loss(t, x, tl, xl, mask_index=blank)

    args = (target, LOGITS, TARGET_LENGTH, OUTPUT_LENGTH)
    check_values(check_abstract(loss, *args), np.array(expected), ulp=100)
    check_gradient(loss, args)


def test_loss_without_an_alignment(backend):
    out = ops.ctc_loss(TARGET[1:2], LOGITS[1:2], [2], [2])
    check_values(out, np.array([np.inf]))


def test_greedy(backend):
    best = np.array([[1, 1, 0, 1, 2], [0, 2, 2, 2, 1], [2, 2, 0, 0, 2]])
    x = np.eye(3)[best] * 5
    args = (x, np.array([5, 3, 5], np.int32))
    labels, scores = check_abstract(ops.ctc_decode, *args)
    expected = [[1, 1, 2, -1, -1], [2, -1, -1, -1, -1], [2, 2, -1, -1, -1]]
    check_values(labels, np.array([expected]), dtype="int32")
    check_values(scores, np.array([[-25.0], [-15.0], [-25.0]]))
    kept, _ = ops.ctc_decode(*args, merge_repeated=False)
    check_values(kept[0, 0], np.array([1, 1, 1, 2, -1]))


def test_beam_search(backend):
    labels, scores = check_abstract(
        lambda x, n: ops.ctc_decode(x, n, "beam_search", beam_width=40, top_paths=3),
        LOGITS,
        OUTPUT_LENGTH,
    )
    for b, n in enumerate(OUTPUT_LENGTH):
        ranked = sorted(all_sequences(LOGITS[b, :n], 0).items(), key=lambda e: -e[1])
        for rank, (sequence, p) in enumerate(ranked[:3]):
            row = ops.convert_to_numpy(labels)[rank, b]
            assert tuple(row[: len(sequence)]) == sequence
            assert np.all(row[len(sequence) :] == -1)
            np.testing.assert_allclose(
                ops.convert_to_numpy(scores)[b, rank], np.log(p), rtol=1e-5
            )


def test_errors(backend):
    assert "'beam'" in raised(ArgumentError, ops.ctc_decode, LOGITS, [5] * 4, "beam")
    assert "(4, 5, 3)" in raised(ShapeError, ops.ctc_decode, LOGITS, [5] * 3)
    assert "two lengths" in raised(
        ShapeError, ops.ctc_loss, TARGET[:2], LOGITS, [2] * 4, [5] * 4
    )
