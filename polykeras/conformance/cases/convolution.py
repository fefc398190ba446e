"""Cases of `polykeras.ops.convolution`, `.pooling`, `.windows` and `.patches`.

The references are loops over output positions, as the definitions say.
"""

from __future__ import annotations

from itertools import product
from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT, Bound, composed
from polykeras.conformance._case import FLOATS, ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, real
from polykeras.conformance.cases._builders import refused
from polykeras.errors import ArgumentError, ShapeError

__all__ = ["CASES"]

_LAST: Final = {"data_format": "channels_last"}
_FIRST: Final = {"data_format": "channels_first"}


def _tuple(x: Any, n: int) -> tuple[int, ...]:
    return (x,) * n if isinstance(x, int) else tuple(x)


def _pads(
    sizes: Any, window: Any, strides: Any, dilation: Any, padding: str
) -> list[tuple[int, int]]:
    found = []
    for size, k, s, d in zip(sizes, window, strides, dilation, strict=True):
        reach = (k - 1) * d + 1
        if padding == "same":
            total = max((-(-size // s) - 1) * s + reach - size, 0)
            found.append((total // 2, total - total // 2))
        else:
            found.append((0, 0))
    return found


def _windows(x: Any, window: Any, strides: Any, dilation: Any, fill: float) -> Any:
    """Yield the place in the output and the window, of an input already padded."""
    spans = [
        (size - (k - 1) * d - 1) // s + 1
        for size, k, s, d in zip(x.shape[1:-1], window, strides, dilation, strict=True)
    ]
    for place in product(*map(range, spans)):
        cut = tuple(
            slice(p * s, p * s + (k - 1) * d + 1, d)
            for p, s, k, d in zip(place, strides, window, dilation, strict=True)
        )
        yield place, x[(slice(None), *cut)]


def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolve by the definition, groups included."""
    if data_format == "channels_first":
        out = conv(
            np.moveaxis(inputs, 1, -1), kernel, strides, padding, None, dilation_rate
        )
        return np.moveaxis(out, -1, 1)
    n = inputs.ndim - 2
    strides, dilation = _tuple(strides, n), _tuple(dilation_rate, n)
    window = kernel.shape[:n]
    pads = _pads(inputs.shape[1:-1], window, strides, dilation, padding)
    x = np.pad(inputs, [(0, 0), *pads, (0, 0)])
    groups = inputs.shape[-1] // kernel.shape[-2]
    parts = []
    for g in range(groups):
        c = kernel.shape[-2]
        f = kernel.shape[-1] // groups
        some = x[..., g * c : (g + 1) * c]
        weights = kernel[..., g * f : (g + 1) * f]
        cells = dict(_windows(some, window, strides, dilation, 0))
        shape = tuple(m + 1 for m in max(cells))
        out = np.zeros((x.shape[0], *shape, f))
        for place, cut in cells.items():
            out[(slice(None), *place)] = np.tensordot(cut, weights, n + 1)
        parts.append(out)
    return np.concatenate(parts, -1)


def _depthwise(inputs: Any, kernel: Any, *rest: Any, **how: Any) -> Any:
    c, m = kernel.shape[-2:]
    return conv(inputs, kernel.reshape(*kernel.shape[:-2], 1, c * m), *rest, **how)


def _separable(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, **how: Any
) -> Any:
    return conv(_depthwise(inputs, depthwise_kernel, **how), pointwise_kernel)


def _transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Spread each input over the window it came from: the adjoint of a convolution."""
    if data_format == "channels_first":
        last = np.moveaxis(inputs, 1, -1)
        how = (strides, padding, output_padding, None, dilation_rate)
        return np.moveaxis(_transpose(last, kernel, *how), -1, 1)
    n = inputs.ndim - 2
    steps, spans = _tuple(strides, n), _tuple(dilation_rate, n)
    window = kernel.shape[:n]
    reach = [(k - 1) * d + 1 for k, d in zip(window, spans, strict=True)]
    sizes = inputs.shape[1:-1]
    full = [(m - 1) * s + k for m, s, k in zip(sizes, steps, reach, strict=True)]
    # Room behind for cells that no window reaches.
    room = [m + max(steps) for m in full]
    out = np.zeros((inputs.shape[0], *room, kernel.shape[-2]))
    for place in product(*map(range, sizes)):
        cut = tuple(
            slice(p * s, p * s + k, d)
            for p, s, k, d in zip(place, steps, reach, spans, strict=True)
        )
        spread = np.tensordot(inputs[(slice(None), *place)], kernel, ((1,), (n + 1,)))
        out[(slice(None), *cut)] += spread
    if output_padding is not None:
        lost = [2 * (k // 2) if padding == "same" else 0 for k in reach]
        added = _tuple(output_padding, n)
        kept = [m - a + b for m, a, b in zip(full, lost, added, strict=True)]
    elif padding == "same":
        kept = [m * s for m, s in zip(sizes, steps, strict=True)]
    else:
        kept = [m + max(s - k, 0) for m, s, k in zip(full, steps, reach, strict=True)]
    starts = [low for low, _ in _pads(kept, window, steps, spans, padding)]
    cuts = [slice(low, low + m) for low, m in zip(starts, kept, strict=True)]
    return out[(slice(None), *cuts)]


def _pool(fold: Any, fill: float) -> Any:
    def reference(
        inputs: Any,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
    ) -> Any:
        if data_format == "channels_first":
            out = reference(np.moveaxis(inputs, 1, -1), pool_size, strides, padding)
            return np.moveaxis(out, -1, 1)
        n = inputs.ndim - 2
        window = _tuple(pool_size, n)
        steps = window if strides is None else _tuple(strides, n)
        ones = (1,) * n
        pads = _pads(inputs.shape[1:-1], window, steps, ones, padding)
        x = np.pad(inputs, [(0, 0), *pads, (0, 0)], constant_values=fill)
        cells = dict(_windows(x, window, steps, ones, fill))
        shape = tuple(m + 1 for m in max(cells))
        out = np.zeros((x.shape[0], *shape, x.shape[-1]))
        axes = tuple(range(1, n + 1))
        for place, cut in cells.items():
            out[(slice(None), *place)] = fold(cut, axes)
        return out

    return reference


def _adaptive(fold: Any) -> Any:
    def reference(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
        n = inputs.ndim - 2
        sizes = _tuple(output_size, n)
        out = np.zeros((inputs.shape[0], *sizes, inputs.shape[-1]))
        for place in product(*map(range, sizes)):
            cut: tuple[slice, ...] = tuple(
                slice(p * have // want, -(-(p + 1) * have // want))
                for p, have, want in zip(place, inputs.shape[1:-1], sizes, strict=True)
            )
            cell: Any = inputs[(slice(None), *cut)]
            at: Any = (slice(None), *place)
            out[at] = fold(cell, tuple(range(1, n + 1)))
        return out

    return reference


def _scaled(terms: int) -> Bound:
    return composed(
        (terms + 1) / 2,
        f"a sum of {terms} products in any order",
        scale=lambda *args, **how: 4.0 * terms**0.5,
        low=terms,
    )


def _unfold(
    x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    k, d, p, s = (_tuple(v, 2) for v in (kernel_size, dilation, padding, stride))
    wide = np.pad(x, [(0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])])
    last = np.moveaxis(wide, 1, -1)
    columns = [
        np.moveaxis(cut, -1, 1).reshape(x.shape[0], -1)
        for _, cut in _windows(last, k, s, d, 0)
    ]
    return np.stack(columns, -1)


def _fold(
    x: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    k, d, p, s = (_tuple(v, 2) for v in (kernel_size, dilation, padding, stride))
    h, w = _tuple(output_size, 2)
    channels = x.shape[1] // (k[0] * k[1])
    out = np.zeros((x.shape[0], channels, h + 2 * p[0], w + 2 * p[1]))
    spans = [
        (n + 2 * q - (kk - 1) * dd - 1) // ss + 1
        for n, q, kk, dd, ss in zip((h, w), p, k, d, s, strict=True)
    ]
    for i, (a, b) in enumerate(product(*map(range, spans))):
        block = x[:, :, i].reshape(x.shape[0], channels, *k)
        rows = slice(a * s[0], a * s[0] + (k[0] - 1) * d[0] + 1, d[0])
        cols = slice(b * s[1], b * s[1] + (k[1] - 1) * d[1] + 1, d[1])
        out[:, :, rows, cols] += block
    return out[:, :, p[0] : p[0] + h, p[1] : p[1] + w]


_SAMPLES: Final[tuple[Sample, ...]] = (
    call(real(2, 5, 6, 3), real(3, 2, 3, 4), **_LAST),
    call(real(1, 7, 2), real(3, 2, 2), dilation_rate=2, **_LAST),
    call(real(1, 5, 6, 2), real(3, 3, 2, 2), strides=2, padding="same", **_LAST),
    call(real(1, 5, 5, 4), real(2, 2, 2, 6), **_LAST),
    call(real(1, 2, 5, 6), real(3, 2, 2, 3), strides=(2, 1), **_FIRST),
    call(real(1, 3, 4, 3, 2), real(2, 2, 2, 2, 2), padding="same", **_LAST),
)

CASES: Final = (
    OpCase(
        "conv",
        _SAMPLES,
        conv,
        _scaled(18),
        FLOATS,
        gradient=2,
        errors=(
            ErrorSample(
                call(real(1, 5, 5, 3), real(2, 2, 2, 4), **_LAST),
                ShapeError,
                ("conv", "3", "4"),
            ),
            refused(ShapeError, call(real(2, 3), real(2, 3)), "conv", "(2, 3)"),
            refused(ShapeError, call(real(1, 5, 3), real(6, 3, 4), **_LAST), "conv"),
            *(
                refused(ArgumentError, call(real(1, 5, 3), real(2, 3, 4), **how), word)
                for how, word in (
                    ({"strides": 0}, "0"),
                    ({"strides": (1, 1)}, "(1, 1)"),
                    ({"padding": "some"}, "'some'"),
                    ({"data_format": "last"}, "'last'"),
                )
            ),
        ),
    ),
    OpCase(
        "conv_transpose",
        (
            call(real(1, 3, 4, 3), real(2, 3, 2, 3), strides=2, **_LAST),
            call(
                real(1, 3, 3, 2), real(3, 3, 2, 2), strides=2, padding="same", **_LAST
            ),
            call(real(2, 4, 2), real(3, 2, 2), **_LAST),
            call(real(1, 3, 3, 2), real(1, 2, 2, 2), strides=(3, 2), **_LAST),
            call(real(1, 4, 2), real(3, 2, 2), dilation_rate=2, **_LAST),
            call(
                real(1, 3, 4, 2),
                real(3, 2, 2, 2),
                strides=2,
                padding="same",
                output_padding=1,
                **_LAST,
            ),
            call(real(1, 3, 2), real(3, 2, 2), 2, "valid", 1, **_LAST),
            call(real(1, 2, 3, 4), real(2, 3, 2, 2), strides=2, **_FIRST),
            call(real(1, 2, 3, 2, 2), real(2, 2, 2, 1, 2), 2, "same", **_LAST),
        ),
        _transpose,
        _scaled(18),
        ("float32", "float64"),
        gradient=2,
        errors=(
            refused(
                ShapeError,
                call(real(1, 5, 3), real(2, 4, 2), **_LAST),
                "conv_transpose",
            ),
        ),
    ),
    OpCase(
        "depthwise_conv",
        (
            call(real(1, 5, 5, 3), real(3, 2, 3, 2), **_LAST),
            call(
                real(1, 5, 5, 2), real(2, 2, 2, 1), padding="same", strides=2, **_LAST
            ),
        ),
        _depthwise,
        _scaled(6),
        ("float32", "float64"),
        gradient=2,
        errors=(
            refused(
                ShapeError,
                call(real(1, 5, 3), real(2, 2, 1), **_LAST),
                "depthwise_conv",
            ),
        ),
    ),
    OpCase(
        "separable_conv",
        (call(real(1, 5, 5, 3), real(3, 2, 3, 2), real(1, 1, 6, 4), **_LAST),),
        _separable,
        _scaled(36),
        ("float32", "float64"),
        gradient=1,
    ),
    OpCase(
        "max_pool",
        (
            call(real(2, 5, 6, 3), 2, **_LAST),
            call(real(1, 5, 6, 2), 3, strides=2, padding="same", **_LAST),
            call(real(1, 2, 5), 2, **_FIRST),
        ),
        _pool(np.max, -np.inf),
        EXACT,
        FLOATS,
        gradient=2,
        errors=(
            refused(ShapeError, call(real(1, 2, 3), 3, **_LAST), "max_pool"),
            refused(
                ArgumentError, call(real(1, 4, 3), 2, padding="some", **_LAST), "'some'"
            ),
        ),
    ),
    OpCase(
        "average_pool",
        (
            call(real(2, 5, 6, 3), 2, **_LAST),
            call(real(1, 5, 6, 2), 3, strides=2, padding="same", **_LAST),
            call(real(1, 2, 5), 2, **_FIRST),
        ),
        _pool(np.nanmean, np.nan),
        _scaled(9),
        FLOATS,
        gradient=2,
        errors=(
            refused(ShapeError, call(real(1, 2), 2, **_LAST), "average_pool", "(1, 2)"),
            refused(ArgumentError, call(real(1, 4, 3), 0, **_LAST), "average_pool"),
        ),
    ),
    OpCase(
        "adaptive_average_pool",
        (call(real(2, 5, 7, 3), (2, 3), **_LAST), call(real(1, 6, 2), 4, **_LAST)),
        _adaptive(np.mean),
        _scaled(12),
        ("float32", "float64"),
        gradient=2,
        errors=(refused(ShapeError, call(real(1, 2), 2, **_LAST), "(1, 2)"),),
    ),
    OpCase(
        "adaptive_max_pool",
        (call(real(2, 5, 7, 3), (2, 3), **_LAST), call(real(1, 6, 2), 4, **_LAST)),
        _adaptive(np.max),
        EXACT,
        ("float32", "float64"),
        gradient=1,
        errors=(refused(ShapeError, call(real(1, 2), 2, **_LAST), "(1, 2)"),),
    ),
    OpCase(
        "unfold",
        (
            call(real(1, 2, 4, 5), 2),
            call(real(1, 2, 4, 5), (2, 3), padding=1, stride=2),
            call(real(1, 1, 5, 5), 2, dilation=2),
        ),
        _unfold,
        EXACT,
        ("float32", "float64"),
        gradient=2,
        errors=(refused(ShapeError, call(real(1, 2), 2), "unfold", "(1, 2)"),),
    ),
    OpCase(
        "fold",
        (
            call(real(1, 8, 12), (4, 5), 2),
            call(real(1, 4, 9), 4, 2, padding=1, stride=2),
        ),
        _fold,
        _scaled(4),
        ("float32", "float64"),
        gradient=2,
        errors=(refused(ShapeError, call(real(1, 4, 3), 4, 2), "fold"),),
    ),
)
