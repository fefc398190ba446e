"""Cases of `polykeras.ops.updates`: optimizer steps over lists of tensors."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import composed
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import Draw, call, given, real

__all__ = ["CASES"]

_WIDE: Final = ("float32", "float64")
_RATE: Final = given(0.125)


def _several(low: float = -2.0, high: float = 2.0) -> list[Draw]:
    return [real(2, 3, low=low, high=high), real(4, low=low, high=high)]


def _sgd(params: Any, grads: Any, learning_rate: Any) -> Any:
    return [p - learning_rate * g for p, g in zip(params, grads, strict=True)]


def _momentum(
    params: Any,
    grads: Any,
    momentums: Any,
    learning_rate: Any,
    momentum: float,
    nesterov: bool = False,
) -> Any:
    new = [
        momentum * m - learning_rate * g for m, g in zip(momentums, grads, strict=True)
    ]
    steps = new
    if nesterov:
        steps = [
            momentum * m - learning_rate * g for m, g in zip(new, grads, strict=True)
        ]
    return [p + s for p, s in zip(params, steps, strict=True)], new


def _rmsprop(
    params: Any,
    grads: Any,
    velocities: Any,
    momentums: Any,
    averages: Any,
    learning_rate: Any,
    rho: float,
    momentum: float,
    epsilon: float,
) -> Any:
    v = [rho * v + (1 - rho) * g * g for v, g in zip(velocities, grads, strict=True)]
    out = [
        p - learning_rate * g / np.sqrt(s + epsilon)
        for p, g, s in zip(params, grads, v, strict=True)
    ]
    return out, v, [], []


def _adam(
    params: Any,
    grads: Any,
    momentums: Any,
    velocities: Any,
    largest: Any,
    learning_rate: Any,
    step: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> Any:
    m = [x + (g - x) * (1 - beta_1) for x, g in zip(momentums, grads, strict=True)]
    v = [x + (g * g - x) * (1 - beta_2) for x, g in zip(velocities, grads, strict=True)]
    alpha = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    out = [
        p - alpha * a / (np.sqrt(b) + epsilon)
        for p, a, b in zip(params, m, v, strict=True)
    ]
    return out, m, v, []


def _decay(params: Any, rate: Any) -> Any:
    return [p - p * rate for p in params]


def _average(averages: Any, values: Any, momentum: Any) -> Any:
    pairs = zip(averages, values, strict=True)
    return [momentum * a + (1 - momentum) * v for a, v in pairs]


def _clip(grads: Any, norm: float) -> Any:
    return [g * min(1.0, norm / np.linalg.norm(g)) for g in grads]


def _clip_together(grads: Any, norm: float) -> Any:
    size = np.sqrt(sum(np.sum(g * g) for g in grads))
    return [g * min(1.0, norm / size) for g in grads]


def _size(*args: Any, **kwargs: Any) -> float:
    return 4.0


_STEP: Final = composed(12, "a mean, its square, a root, a division", scale=_size)

CASES: Final = (
    OpCase("sgd_update", (call(_several(), _several(), _RATE),), _sgd, _STEP, _WIDE),
    OpCase(
        "momentum_update",
        (
            call(_several(), _several(), _several(), _RATE, 0.5),
            call(_several(), _several(), _several(), _RATE, 0.5, nesterov=True),
        ),
        _momentum,
        _STEP,
        _WIDE,
    ),
    OpCase(
        "rmsprop_update",
        (call(_several(), _several(), _several(0.5), [], [], _RATE, 0.5, 0.0, 1e-3),),
        _rmsprop,
        _STEP,
        _WIDE,
    ),
    OpCase(
        "adam_update",
        (
            call(
                _several(),
                _several(),
                _several(),
                _several(0.5),
                [],
                _RATE,
                given(3, "int32"),
                0.875,
                0.75,
                1e-3,
            ),
        ),
        _adam,
        composed(24, "means, two powers, roots and divisions", scale=_size),
        _WIDE,
    ),
    OpCase("decay_update", (call(_several(), _RATE),), _decay, _STEP, _WIDE),
    OpCase(
        "moving_average_update",
        (call(_several(), _several(), given(0.75)),),
        _average,
        _STEP,
        _WIDE,
    ),
    OpCase(
        "clip_by_norm",
        (call(_several(), 1.0), call(_several(), 100.0)),
        _clip,
        _STEP,
        _WIDE,
    ),
    OpCase(
        "clip_by_global_norm",
        (call(_several(), 1.0), call(_several(), 100.0)),
        _clip_together,
        _STEP,
        _WIDE,
    ),
)
