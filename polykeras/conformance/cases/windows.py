"""Cases of `polykeras.ops.windows`: the primitives behind convolution and pooling.

Derivative primitives are adjoints of linear maps: their references apply the map to
each basis tensor in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT, composed
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import call, real
from polykeras.conformance.cases.convolution import conv

__all__ = ["CASES"]

_WIDE: Final = ("float32", "float64")
_TWO: Final = ((2, 1), ((1, 0), (0, 1)), (1, 2))
_SUMS: Final = composed(
    20, "a sum of up to 24 products in any order", scale=lambda *args: 8.0
)


def _adjoint(fn: Callable[[Any], Any], shape: tuple[int, ...], y: Any) -> Any:
    """Return the adjoint of a linear function of tensors of a shape, applied to y."""
    basis = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.array([np.sum(fn(e) * y) for e in basis]).reshape(shape)


def _conv(inputs: Any, kernel: Any, strides: Any, padding: Any, dilation: Any) -> Any:
    padded = np.pad(inputs, [(0, 0), *padding, (0, 0)])
    return conv(padded, kernel, tuple(strides), "valid", None, tuple(dilation))


def _input_shape(
    outputs: Any, kernel: Any, groups: int, strides: Any, padding: Any, dilation: Any
) -> tuple[int, ...]:
    window = kernel.shape[:-2]
    sizes = [
        (n - 1) * s + (k - 1) * d + 1 - sum(p)
        for n, s, k, d, p in zip(
            outputs.shape[1:-1], strides, window, dilation, padding, strict=True
        )
    ]
    return (outputs.shape[0], *sizes, kernel.shape[-2] * groups)


def _transpose(
    outputs: Any, kernel: Any, groups: int, strides: Any, padding: Any, dilation: Any
) -> Any:
    shape = _input_shape(outputs, kernel, groups, strides, padding, dilation)
    return _adjoint(
        lambda x: _conv(x, kernel, strides, padding, dilation), shape, outputs
    )


def _kernel(
    inputs: Any,
    outputs: Any,
    window: Any,
    groups: int,
    strides: Any,
    padding: Any,
    dilation: Any,
) -> Any:
    shape = (*window, inputs.shape[-1] // groups, outputs.shape[-1])
    return _adjoint(
        lambda k: _conv(inputs, k, strides, padding, dilation), shape, outputs
    )


def _cells(x: Any, window: Any, strides: Any, padding: Any, fill: float) -> Any:
    """Return the windows of a tensor: (B, *places, C, entries)."""
    x = np.pad(x, [(0, 0), *padding, (0, 0)], constant_values=fill)
    spans = [
        (n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], window, strides, strict=True)
    ]
    out = np.zeros((x.shape[0], *spans, x.shape[-1], int(np.prod(window))))
    for place in product(*map(range, spans)):
        cut = tuple(
            slice(p * s, p * s + k)
            for p, s, k in zip(place, strides, window, strict=True)
        )
        at: Any = (slice(None), *place)
        cells: Any = x[(slice(None), *cut)]
        out[at] = np.moveaxis(cells.reshape(x.shape[0], -1, x.shape[-1]), 1, -1)
    return out


def _pool_max(inputs: Any, window: Any, strides: Any, padding: Any) -> Any:
    return np.max(_cells(inputs, window, strides, padding, -np.inf), -1)


def _pool_max_pick(
    values: Any, inputs: Any, window: Any, strides: Any, padding: Any
) -> Any:
    best = np.argmax(_cells(inputs, window, strides, padding, -np.inf), -1)
    picked = _cells(values, window, strides, padding, 0.0)
    return np.take_along_axis(picked, best[..., None], -1)[..., 0]


def _pool_max_spread(
    g: Any, inputs: Any, window: Any, strides: Any, padding: Any
) -> Any:
    return _adjoint(
        lambda v: _pool_max_pick(v, inputs, window, strides, padding), inputs.shape, g
    )


def _pool_mean(inputs: Any, window: Any, strides: Any, padding: Any) -> Any:
    return np.nanmean(_cells(inputs, window, strides, padding, np.nan), -1)


def _pool_mean_spread(
    g: Any, sizes: Any, window: Any, strides: Any, padding: Any
) -> Any:
    shape = (g.shape[0], *sizes, g.shape[-1])
    return _adjoint(lambda x: _pool_mean(x, window, strides, padding), shape, g)


_POOL: Final = ((2, 3), (2, 2), ((0, 1), (1, 1)))
# Windows that touch each other, and one of many cells: backends treat them apart.
_TILES: Final = ((2, 2), (2, 2), ((0, 0), (0, 0)))
_LARGE: Final = ((6, 6), (1, 1), ((0, 0), (0, 0)))

CASES: Final = (
    OpCase(
        "conv_general",
        (
            call(real(2, 5, 4, 3), real(2, 2, 3, 4), *_TWO),
            call(real(1, 5, 4, 4), real(2, 2, 2, 4), (1, 1), ((0, 0), (0, 0)), (1, 1)),
        ),
        _conv,
        _SUMS,
        _WIDE,
        gradient=2,
    ),
    OpCase(
        "conv_general_transpose",
        (call(real(1, 3, 3, 4), real(2, 2, 3, 4), 1, *_TWO),),
        _transpose,
        _SUMS,
        _WIDE,
        gradient=2,
    ),
    OpCase(
        "conv_general_kernel",
        (call(real(2, 5, 4, 3), real(2, 3, 3, 4), (2, 2), 1, *_TWO),),
        _kernel,
        _SUMS,
        _WIDE,
        gradient=2,
    ),
    OpCase(
        "pool_max",
        (
            call(real(2, 5, 4, 3), *_POOL),
            call(real(1, 5, 4, 2), *_TILES),
            call(real(1, 7, 6, 1), *_LARGE),
        ),
        _pool_max,
        EXACT,
        _WIDE,
        gradient=2,
    ),
    OpCase(
        "pool_max_pick",
        (
            call(real(2, 5, 4, 3), real(2, 5, 4, 3).constant(), *_POOL),
            call(real(1, 5, 4, 2), real(1, 5, 4, 2).constant(), *_TILES),
        ),
        _pool_max_pick,
        EXACT,
        _WIDE,
        gradient=1,
    ),
    OpCase(
        "pool_max_spread",
        (
            call(real(1, 3, 2, 2), real(1, 5, 4, 2).constant(), *_POOL),
            call(real(1, 2, 2, 2), real(1, 5, 4, 2).constant(), *_TILES),
            call(real(1, 2, 1, 1), real(1, 7, 6, 1).constant(), *_LARGE),
        ),
        _pool_max_spread,
        composed(3, "up to three windows share an entry", scale=lambda *args: 4.0),
        _WIDE,
        gradient=1,
    ),
    OpCase(
        "pool_mean",
        (call(real(2, 5, 4, 3), *_POOL),),
        _pool_mean,
        composed(6, "a mean of up to 6", scale=lambda *args: 4.0),
        _WIDE,
        gradient=2,
    ),
    OpCase(
        "pool_mean_spread",
        (call(real(1, 3, 2, 2), (5, 4), *_POOL),),
        _pool_mean_spread,
        composed(6, "up to three shares of windows", scale=lambda *args: 4.0),
        _WIDE,
        gradient=2,
    ),
)
