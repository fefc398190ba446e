"""Cases of `polykeras.ops.crossentropy`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.special

from polykeras.conformance._bounds import EXACT, Bound, composed
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import Draw, call, given, made, real
from polykeras.errors import ShapeError

__all__ = ["CASES"]

_WIDE: Final = ("float32", "float64")
_EPSILON: Final = 1e-7


def _shares(*shape: int) -> Draw:
    """Draw probabilities that add up to one over the last axis."""
    return made(
        lambda rng: scipy.special.softmax(rng.uniform(-1, 1, shape), -1), *shape
    )


def _chances(*shape: int) -> Draw:
    return real(*shape, low=0.1, high=0.9)


def _labels(values: Any) -> Draw:
    return given(values, "int32")


def _one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    rows = (x[..., None] == np.arange(num_classes)).astype(float)
    return np.moveaxis(rows, -1, axis)


def _multi_hot(inputs: Any, num_classes: int, **_: Any) -> Any:
    return np.max(_one_hot(inputs, num_classes), axis=-2)


def _sigmoid_crossentropy(target: Any, logits: Any) -> Any:
    return np.logaddexp(0, logits) - target * logits


def _softmax_crossentropy(target: Any, logits: Any, axis: int = -1) -> Any:
    return -np.sum(target * scipy.special.log_softmax(logits, axis), axis)


def _picked(target: Any, logits: Any, axis: int = -1) -> Any:
    logs = scipy.special.log_softmax(logits, axis)
    return -np.take_along_axis(logs, np.expand_dims(target, axis), axis).squeeze(axis)


def _binary(target: Any, output: Any, from_logits: bool = False) -> Any:
    if from_logits:
        return _sigmoid_crossentropy(target, output)
    p = np.clip(output, _EPSILON, 1 - _EPSILON)
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def _categorical(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    if from_logits:
        return _softmax_crossentropy(target, output, axis)
    p = output / np.sum(output, axis, keepdims=True)
    return -np.sum(target * np.log(np.clip(p, _EPSILON, 1 - _EPSILON)), axis)


def _sparse(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    size = output.shape[axis]
    return _categorical(_one_hot(target, size, axis), output, from_logits, axis)


def _probability(target: Any, output: Any, axis: int, epsilon: float) -> Any:
    return _categorical(target, output, axis=axis)


def _probability_gradient(
    g: Any, target: Any, output: Any, axis: int, epsilon: float
) -> Any:
    total = np.sum(output, axis, keepdims=True)
    weight = np.sum(target, axis, keepdims=True)
    return np.expand_dims(g, axis) * (weight / total - target / output)


def _logs(*args: Any, **kwargs: Any) -> float:
    return 8.0


_LOSS: Final[Bound] = composed(
    24, "exponentials, their sum, a logarithm and a sum of products", scale=_logs
)

CASES: Final = (
    OpCase(
        "one_hot",
        (
            call(_labels([0, 2, 1]), 3),
            call(_labels([[0, 1], [2, 0]]), 3, axis=0),
            call(_labels([-1, 1, 5]), 3),
        ),
        _one_hot,
        EXACT,
        ("float32",),
        "float32",
    ),
    OpCase(
        "multi_hot",
        (call(_labels([[0, 2], [1, 1]]), num_classes=4),),
        _multi_hot,
        EXACT,
        ("float32",),
        "float32",
    ),
    OpCase(
        "sigmoid_crossentropy",
        (call(_chances(2, 3), real(2, 3, low=-6, high=6)),),
        _sigmoid_crossentropy,
        _LOSS,
        gradient=2,
    ),
    OpCase(
        "softmax_crossentropy",
        (
            call(_shares(3, 4), real(3, 4, low=-6, high=6)),
            call(_shares(2, 4), real(2, 4), axis=0),
        ),
        _softmax_crossentropy,
        _LOSS,
        gradient=2,
    ),
    OpCase(
        "sparse_softmax_crossentropy",
        (
            call(_labels([0, 3, 1]), real(3, 4, low=-6, high=6)),
            call(_labels([0, 1, 1]), real(2, 3), axis=0),
        ),
        _picked,
        _LOSS,
        gradient=2,
    ),
    OpCase(
        "binary_crossentropy",
        (
            call(_chances(2, 3), _chances(2, 3)),
            call(_chances(2, 3), real(2, 3, low=-6, high=6), from_logits=True),
        ),
        _binary,
        _LOSS,
        _WIDE,
        gradient=2,
        slope_tolerance=1e-6,
        errors=(
            ErrorSample(
                call(_chances(2, 3), _chances(2, 4)), ShapeError, ("(2, 3)", "(2, 4)")
            ),
        ),
    ),
    OpCase(
        "categorical_crossentropy",
        (
            call(_shares(3, 4), _shares(3, 4)),
            call(_shares(3, 4), real(3, 4, low=-6, high=6), from_logits=True),
        ),
        _categorical,
        _LOSS,
        _WIDE,
        gradient=2,
        slope_tolerance=1e-6,
        errors=(
            ErrorSample(
                call(_shares(2, 3), _shares(2, 4)), ShapeError, ("(2, 3)", "(2, 4)")
            ),
        ),
    ),
    OpCase(
        "sparse_categorical_crossentropy",
        (
            call(_labels([0, 3, 1]), _shares(3, 4)),
            call(_labels([0, 3, 1]), real(3, 4, low=-6, high=6), from_logits=True),
        ),
        _sparse,
        _LOSS,
        _WIDE,
        gradient=2,
        slope_tolerance=1e-6,
    ),
    OpCase(
        "probability_crossentropy",
        (call(_shares(3, 4), _shares(3, 4), 1, _EPSILON),),
        _probability,
        _LOSS,
        _WIDE,
        gradient=2,
        slope_tolerance=1e-6,
    ),
    OpCase(
        "probability_crossentropy_gradient",
        (call(real(3), _shares(3, 4), _shares(3, 4), 1, _EPSILON),),
        _probability_gradient,
        composed(
            16, "two sums of 4, divisions and a difference", scale=lambda *a: 32.0
        ),
        _WIDE,
        gradient=1,
        slope_tolerance=1e-6,
    ),
)
