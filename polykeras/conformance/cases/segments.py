"""Cases of `polykeras.ops.segments`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT, Bound, composed
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import call, given, real

__all__ = ["CASES"]

_IDS: Final = given([0, 2, 0, 1, 2, 0], "int32")


def _segment(op: str, fold: Callable[..., Any], first: float, bound: Bound) -> OpCase:
    def reference(data: Any, segment_ids: Any, num_segments: int, **_: Any) -> Any:
        out = np.full((num_segments, *data.shape[1:]), first)
        fold.at(out, segment_ids, data)  # type: ignore[attr-defined]
        return out

    samples = (
        call(real(6, 2, low=0.5, high=2), _IDS, num_segments=3),
        call(real(6), _IDS, num_segments=3),
        call(real(4), given([0, 0, 1, 2], "int32"), num_segments=3, sorted=True),
    )
    return OpCase(op, samples, reference, bound, ("float32", "float64"), gradient=1)


CASES: Final = (
    _segment(
        "segment_sum", np.add, 0.0, composed(3, "3 terms", scale=lambda *a, **k: 6.0)
    ),
    _segment("segment_prod", np.multiply, 1.0, composed(3, "3 factors")),
    _segment("segment_max", np.maximum, -np.inf, EXACT),
    _segment("segment_min", np.minimum, np.inf, EXACT),
)
