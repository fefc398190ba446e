"""Cases of `polykeras.ops.ctc`."""

from __future__ import annotations

from itertools import product
from typing import Any, Final

import numpy as np
import scipy.special

from polykeras.conformance._bounds import EXACT, composed
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import call, given, real

__all__ = ["CASES"]


def _collapsed(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    kept = [p for i, p in enumerate(path) if i == 0 or p != path[i - 1]]
    return tuple(p for p in kept if p != blank)


def _loss(
    target: Any,
    output: Any,
    target_length: Any,
    output_length: Any,
    mask_index: int = 0,
) -> Any:
    """Sum over all alignments, as the definition says (Graves et al., 2006, eq. 3)."""
    losses = []
    logs = scipy.special.log_softmax(output, -1)
    for y, p, n, steps in zip(target, logs, target_length, output_length, strict=True):
        wanted = tuple(int(v) for v in y[:n])
        paths = product(range(p.shape[-1]), repeat=int(steps))
        found = [
            sum(p[t, k] for t, k in enumerate(path))
            for path in paths
            if _collapsed(path, mask_index) == wanted
        ]
        losses.append(-scipy.special.logsumexp(found))
    return np.array(losses)


def _best(result: Any, *args: Any, **kwargs: Any) -> Any:
    return result[0]


def _greedy(inputs: Any, sequence_lengths: Any, **_: Any) -> Any:
    rows = []
    for scores, steps in zip(inputs, sequence_lengths, strict=True):
        path = tuple(int(k) for k in np.argmax(scores[:steps], -1))
        labels = _collapsed(path, 0)
        rows.append(labels + (-1,) * (inputs.shape[1] - len(labels)))
    return np.array(rows)[None]


CASES: Final = (
    OpCase(
        "ctc_loss",
        (
            call(
                given([[1, 2], [2, 0]], "int32"),
                real(2, 4, 3),
                given([2, 1], "int32"),
                given([4, 3], "int32"),
            ),
        ),
        _loss,
        composed(
            64,
            "4 steps of sums of three exponentials, and logarithms",
            scale=lambda *a, **k: 8.0,
        ),
        ("float32", "float64"),
        gradient=1,
    ),
    OpCase(
        "ctc_decode",
        (call(real(2, 5, 4), given([5, 3], "int32")),),
        _greedy,
        EXACT,
        ("float32",),
        "int32",
        view=_best,
    ),
)
