"""Cases of `polykeras.ops.piecewise`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT, composed
from polykeras.conformance.cases.activations import activation

__all__ = ["CASES"]

_LINEAR: Final = composed(
    4,
    "a constant, a product and a sum that cancel near a bend",
    low=4,
    scale=lambda x, **k: np.minimum(np.abs(x), 3) + 1,
)


def _hard_silu(x: Any) -> Any:
    return x * np.clip(x / 6 + 0.5, 0, 1)


def _sparse_plus(x: Any) -> Any:
    return np.where(x <= -1, 0, np.where(x < 1, 0.25 * (x + 1) ** 2, x))


def _soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    return np.sign(x) * np.maximum(abs(x) - threshold, 0)


CASES: Final = (
    activation("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), _LINEAR),
    activation("hard_silu", _hard_silu, _LINEAR),
    activation("hard_swish", _hard_silu, _LINEAR),
    activation("hard_tanh", lambda x: np.clip(x, -1, 1), EXACT),
    activation(
        "hard_shrink",
        lambda x, threshold=0.5: np.where(abs(x) > threshold, x, 0),
        EXACT,
        {},
        {"threshold": 0.75},
    ),
    activation(
        "soft_shrink",
        _soft_shrink,
        composed(1, "one difference"),
        {},
        {"threshold": 0.75},
    ),
    activation(
        "threshold",
        lambda x, threshold, default_value: np.where(x > threshold, x, default_value),
        EXACT,
        {"threshold": 0.5, "default_value": -2.0},
    ),
    activation("sparse_plus", _sparse_plus, _LINEAR),
    activation("sparse_sigmoid", lambda x: np.clip((x + 1) / 2, 0, 1), _LINEAR),
)
