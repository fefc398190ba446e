"""Cases of `polykeras.ops.normalization`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import composed
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import call, real
from polykeras.errors import ShapeError

__all__ = ["CASES"]

_FLOATS: Final = ("float32", "float64")


def _batch(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    shape = [1] * x.ndim
    shape[axis] = -1
    y = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + epsilon)
    y = y if scale is None else y * scale.reshape(shape)
    return y if offset is None else y + offset.reshape(shape)


def _training(
    x: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    axis %= x.ndim
    others = tuple(i for i in range(x.ndim) if i != axis)
    mean, variance = np.mean(x, others), np.var(x, others)
    return _batch(x, mean, variance, axis, offset, scale, epsilon), mean, variance


def _axes(axis: Any) -> tuple[int, ...]:
    return (axis,) if isinstance(axis, int) else tuple(axis)


def _layer(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: Any = None
) -> Any:
    axes = _axes(axis)
    mean = np.mean(x, axes, keepdims=True)
    variance = np.var(x, axes, keepdims=True)
    y = (x - mean) / np.sqrt(variance + (1e-7 if epsilon is None else epsilon))
    y = y if gamma is None else y * gamma
    return y if beta is None else y + beta


def _rms(x: Any, scale: Any = None, axis: Any = -1, epsilon: Any = None) -> Any:
    square = np.mean(x * x, _axes(axis), keepdims=True)
    y = x / np.sqrt(square + (1e-7 if epsilon is None else epsilon))
    return y if scale is None else y * scale


def _size(*args: Any, **kwargs: Any) -> float:
    return 8.0


CASES: Final = (
    OpCase(
        "batch_normalization",
        (
            call(real(4, 3), real(3), real(3, low=0.5), 1),
            call(
                real(2, 3, 4),
                real(3),
                real(3, low=0.5),
                1,
                offset=real(3),
                scale=real(3),
                epsilon=0.01,
            ),
        ),
        _batch,
        composed(12, "a difference, a root, a division, a product, a sum", scale=_size),
        gradient=2,
        errors=(
            ErrorSample(
                call(real(4, 3), real(2), real(2), 1), ShapeError, ("(2,)", "3")
            ),
        ),
    ),
    OpCase(
        "batch_normalization_training",
        (
            call(real(4, 3), 1),
            call(real(2, 3, 4), 1, offset=real(3), scale=real(3), epsilon=0.01),
            call(real(2, 5, 3), -1, offset=real(3), scale=real(3), epsilon=0.01),
        ),
        _training,
        composed(48, "a mean, a variance of up to 10, a root, a division", scale=_size),
        _FLOATS,
        gradient=2,
        slope_tolerance=1e-6,
        errors=(
            ErrorSample(call(real(4, 3), 1, offset=real(2)), ShapeError, ("(2,)", "3")),
        ),
    ),
    OpCase(
        "layer_normalization",
        (
            call(real(3, 5)),
            call(real(2, 3, 4), real(4), real(4), epsilon=0.01),
            call(real(2, 3, 4), axis=(1, 2)),
        ),
        _layer,
        composed(48, "a mean, a variance of up to 12, a root, a division", scale=_size),
        _FLOATS,
        gradient=2,
        slope_tolerance=1e-6,
    ),
    OpCase(
        "rms_normalization",
        (
            call(real(3, 5)),
            call(real(2, 3, 4), real(4), epsilon=0.01),
            call(real(2, 3, 4), axis=(1, 2)),
        ),
        _rms,
        composed(32, "a mean of up to 12 squares, a root, a division", scale=_size),
        _FLOATS,
        gradient=2,
    ),
)
