"""Cases of `polykeras.ops.spectral`.

The fast transform of n values errs by at most a small multiple of log2(n) u |x|
(Higham, 2002, theorem 24.2); libraries that convolve for odd sizes, by a few more.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import composed
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import call, real
from polykeras.conformance.cases._builders import refused
from polykeras.errors import ArgumentError, ShapeError

__all__ = ["CASES"]

_WIDE: Final = ("float32", "float64")
_FAST: Final = composed(
    24, "log2(n) steps of products with roots of unity", scale=lambda *a, **k: 8.0
)


def _parts(z: Any) -> tuple[Any, Any]:
    return z.real, z.imag


def _of_pair(fn: Any) -> Any:
    return lambda x: _parts(fn(x[0] + 1j * x[1]))


def _rfft(x: Any, fft_length: int | None = None) -> Any:
    return _parts(np.fft.rfft(x, fft_length))


def _irfft(x: Any, fft_length: int | None = None) -> Any:
    return np.fft.irfft(x[0] + 1j * x[1], fft_length)


def _frames(x: Any, length: int, stride: int) -> Any:
    starts = range(0, x.shape[-1] - length + 1, stride)
    return np.stack([x[..., s : s + length] for s in starts], -2)


def _stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    if center:
        pad = [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)]
        x = np.pad(x, pad, mode="reflect")
    weights = np.ones(sequence_length)
    if window == "hann":
        at = np.arange(sequence_length) / sequence_length
        weights = 0.5 - 0.5 * np.cos(2 * np.pi * at)
    left = (fft_length - sequence_length) // 2
    weights = np.pad(weights, (left, fft_length - sequence_length - left))
    return _parts(np.fft.rfft(_frames(x, fft_length, sequence_stride) * weights))


def _istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = None,
    center: bool = True,
) -> Any:
    """Add frames up where they overlap, and divide by how many do."""
    frames = np.fft.irfft(x[0] + 1j * x[1], fft_length)
    count = frames.shape[-2]
    size = (count - 1) * sequence_stride + fft_length
    total, weight = np.zeros((*frames.shape[:-2], size)), np.zeros(size)
    for i in range(count):
        cut = slice(i * sequence_stride, i * sequence_stride + fft_length)
        total[..., cut] += frames[..., i, :]
        weight[cut] += 1
    return total / weight


def _pair(*shape: int) -> tuple[Any, Any]:
    return real(*shape), real(*shape)


CASES: Final = (
    OpCase(
        "fft",
        (call(_pair(2, 4)), call(_pair(2, 3, 5))),
        _of_pair(np.fft.fft),
        _FAST,
        _WIDE,
        gradient=2,
        errors=(
            refused(ArgumentError, call(real(3)), "fft", "pair"),
            refused(ShapeError, call((real(3), real(4))), "(3,)", "(4,)"),
        ),
    ),
    OpCase(
        "fft2",
        (call(_pair(3, 4)), call(_pair(2, 3, 4))),
        _of_pair(np.fft.fft2),
        _FAST,
        _WIDE,
        gradient=2,
        errors=(refused(ShapeError, call((real(3), real(3))), "fft2"),),
    ),
    OpCase(
        "ifft2",
        (call(_pair(3, 4)), call(_pair(2, 3, 4))),
        _of_pair(np.fft.ifft2),
        _FAST,
        _WIDE,
        gradient=2,
        errors=(refused(ShapeError, call((real(3), real(3))), "ifft2"),),
    ),
    OpCase(
        "rfft",
        (call(real(2, 6)), call(real(5)), call(real(2, 6), fft_length=8)),
        _rfft,
        _FAST,
        _WIDE,
        gradient=2,
        errors=(
            refused(ShapeError, call(real()), "rfft", "axis"),
            refused(ArgumentError, call(real(3), 0), "rfft", "0"),
        ),
    ),
    OpCase(
        "irfft",
        (call(_pair(2, 4)), call(_pair(2, 4), fft_length=5)),
        _irfft,
        _FAST,
        _WIDE,
        gradient=2,
        errors=(refused(ArgumentError, call((real(3), real(3)), 0), "irfft", "0"),),
    ),
    OpCase(
        "stft",
        (
            call(real(2, 16), 4, 2, 4),
            call(real(20), 8, 3, 8, window=None, center=False),
        ),
        _stft,
        _FAST,
        _WIDE,
        gradient=2,
        errors=(
            refused(ArgumentError, call(real(9), 8, 4, 4), "stft"),
            refused(ArgumentError, call(real(9), 4, 4, 4, "flat"), "'flat'"),
            refused(ShapeError, call(real(9), 4, 4, 4, np.ones(3)), "stft"),
        ),
    ),
    OpCase(
        "istft",
        (call(_pair(2, 9, 3), 4, 2, 4, window=None, center=False),),
        _istft,
        _FAST,
        _WIDE,
        gradient=2,
    ),
)
