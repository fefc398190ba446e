"""Fourier transforms; a complex tensor is a pair of its real and imaginary part."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras import config, dtypes
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops.arithmetic import add, divide, multiply, negative
from polykeras.ops.comparison import less_equal, where
from polykeras.ops.conversion import cast, convert_to_tensor
from polykeras.ops.conversion import dtype as dtype_of
from polykeras.ops.creation import zeros_like
from polykeras.ops.indexing import extract_sequences
from polykeras.ops.padding import pad
from polykeras.ops.shaping import concatenate, flip, reshape, swapaxes

__all__ = [
    "fft",
    "fft2",
    "ifft2",
    "irfft",
    "istft",
    "rfft",
    "stft",
]

Pair = tuple[Tensor, Tensor]


def _checked_pair(name: str, x: Any, rank: int = 1) -> Pair:
    """Return a pair of floating tensors of one shape.

    Raises:
        ArgumentError: If `x` is no pair.
        ShapeError: If the shapes differ or have too few axes.
    """
    if not isinstance(x, list | tuple) or len(x) != 2:
        raise ArgumentError(
            f"polykeras.ops.{name} expected a pair (real, imaginary) of tensors, got "
            f"{type(x).__name__}."
        )
    real, imaginary = (convert_to_tensor(part) for part in x)
    if tuple(real.shape) != tuple(imaginary.shape) or len(real.shape) < rank:
        raise ShapeError(
            f"polykeras.ops.{name} expected two tensors of one shape with at least "
            f"{rank} axes, got {tuple(real.shape)} and {tuple(imaginary.shape)}."
        )
    return _floating(real), _floating(imaginary)


def _floating(x: Tensor) -> Tensor:
    name = dtype_of(x)
    target = dtypes.to_inexact(name, config.floatx())
    return x if name == target else cast(x, target)


# -- complex transforms ----------------------------------------------------------


@primitive(sequence="x")
def fft(x: Pair) -> Pair:
    """Return the discrete Fourier transform over the last axis.

    Args:
        x: A pair of tensors of shape (..., N), the real and the imaginary part.

    Returns:
        A pair of tensors of the same shape.

    Raises:
        ArgumentError: If `x` is no pair.
        ShapeError: If the shapes differ.

    >>> import polykeras as keras
    >>> real, imaginary = keras.ops.fft(([1.0, 0.0], [0.0, 0.0]))
    >>> keras.ops.convert_to_numpy(real).tolist()
    [1.0, 1.0]
    """


@fft.prepare
def _(x: Any) -> tuple[Any, ...]:
    return (_checked_pair("fft", x),)


@fft.abstract
def _(x: tuple[Spec, Spec]) -> tuple[Spec, Spec]:
    return x[0], x[0]


@fft.vjp("x")
def _(g: Pair, out: Pair, x: Pair) -> list[Tensor]:
    # The adjoint of the transform conjugates its argument and its result.
    real, imaginary = fft((g[0], negative(g[1])))
    return [real, negative(imaginary)]


def _inverse(x: Pair) -> Pair:
    real, imaginary = fft((x[0], negative(x[1])))
    n = real.shape[-1]
    return divide(real, n), divide(negative(imaginary), n)


@op(sequence="x")
def fft2(x: Pair) -> Pair:
    """Return the discrete Fourier transform over the last two axes.

    Args:
        x: A pair of tensors of shape (..., M, N), the real and imaginary part.

    Returns:
        A pair of tensors of the same shape.

    Raises:
        ArgumentError: If `x` is no pair.
        ShapeError: If the shapes differ or have fewer than two axes.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((2, 2))
    >>> keras.ops.convert_to_numpy(keras.ops.fft2((x, 0 * x))[0]).tolist()
    [[4.0, 0.0], [0.0, 0.0]]
    """
    rows = fft(_checked_pair("fft2", x, rank=2))
    columns = fft(_swapped(rows))
    return _swapped(columns)


def _swapped(x: Pair) -> Pair:
    n = len(x[0].shape)
    return swapaxes(x[0], n - 2, n - 1), swapaxes(x[1], n - 2, n - 1)


@fft2.prepare
def _(x: Any) -> tuple[Any, ...]:
    return (_checked_pair("fft2", x, rank=2),)


@op(sequence="x")
def ifft2(x: Pair) -> Pair:
    """Return the inverse of `fft2`.

    Args:
        x: A pair of tensors of shape (..., M, N), the real and imaginary part.

    Returns:
        A pair of tensors of the same shape.

    Raises:
        ArgumentError: If `x` is no pair.
        ShapeError: If the shapes differ or have fewer than two axes.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((2, 2))
    >>> keras.ops.convert_to_numpy(keras.ops.ifft2((x, 0 * x))[0]).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    rows = _inverse(_checked_pair("ifft2", x, rank=2))
    columns = _inverse(_swapped(rows))
    return _swapped(columns)


@ifft2.prepare
def _(x: Any) -> tuple[Any, ...]:
    return (_checked_pair("ifft2", x, rank=2),)


# -- transforms of real signals --------------------------------------------------


def _length(name: str, given: Any, default: int) -> int:
    n = default if given is None else int(given)
    if n < 1:
        raise ArgumentError(
            f"polykeras.ops.{name} expected a positive fft_length, got {given}."
        )
    return n


def _fitted(x: Tensor, n: int) -> Tensor:
    """Crop or pad the last axis to size `n`, with zeros at the end."""
    have = x.shape[-1]
    if have > n:
        return x[..., :n]
    if have < n:
        return pad(x, [(0, 0)] * (len(x.shape) - 1) + [(0, n - have)])
    return x


def _signal(name: str, x: Tensor) -> Tensor:
    x = convert_to_tensor(x)
    if not x.shape:
        raise ShapeError(f"polykeras.ops.{name} expected a tensor with an axis.")
    return _floating(x)


@op(inexact="x")
def rfft(x: Tensor, fft_length: int | None = None) -> Pair:
    """Return the nonnegative frequencies of the transform of real signals.

    Args:
        x: A tensor of shape (..., N).
        fft_length: The last axis is cropped or padded with zeros to this size;
            None means N.

    Returns:
        A pair (real, imaginary) of tensors of shape (..., fft_length // 2 + 1).

    Raises:
        ArgumentError: If `fft_length` is not positive.

    >>> import polykeras as keras
    >>> real, imaginary = keras.ops.rfft([1.0, 2.0, 3.0, 4.0])
    >>> keras.ops.convert_to_numpy(real).tolist()
    [10.0, -2.0, -2.0]
    """
    x = _signal("rfft", x)
    n = _length("rfft", fft_length, x.shape[-1])
    x = _fitted(x, n)
    real, imaginary = fft((x, zeros_like(x)))
    return real[..., : n // 2 + 1], imaginary[..., : n // 2 + 1]


@rfft.prepare
def _(x: Tensor, fft_length: int | None) -> tuple[Any, ...]:
    x = _signal("rfft", x)
    return x, _length("rfft", fft_length, x.shape[-1])


@op(sequence="x")
def irfft(x: Pair, fft_length: int | None = None) -> Tensor:
    """Return the real signals whose nonnegative frequencies are given.

    Args:
        x: A pair (real, imaginary) of tensors of shape (..., K).
        fft_length: Length of the result; None means 2 (K - 1). The frequencies
            are cropped or padded with zeros to fit.

    Returns:
        A tensor of shape (..., fft_length).

    Raises:
        ArgumentError: If `x` is no pair or `fft_length` is not positive.
        ShapeError: If the shapes differ.

    >>> import polykeras as keras
    >>> y = keras.ops.irfft(keras.ops.rfft([1.0, 2.0, 3.0, 4.0]))
    >>> [round(v, 4) for v in keras.ops.convert_to_numpy(y).tolist()]
    [1.0, 2.0, 3.0, 4.0]
    """
    real, imaginary = _checked_pair("irfft", x)
    n = _length("irfft", fft_length, 2 * (real.shape[-1] - 1))
    half = n // 2 + 1
    real, imaginary = _fitted(real, half), _fitted(imaginary, half)
    mirrored = slice(1, (n + 1) // 2)
    imaginary = multiply(imaginary, cast(_inner_frequencies(n, half), dtype_of(real)))
    upper = flip(real[..., mirrored], axis=-1)
    conjugate = negative(flip(imaginary[..., mirrored], axis=-1))
    full = (
        concatenate([real, upper], axis=-1),
        concatenate([imaginary, conjugate], axis=-1),
    )
    return _inverse(full)[0]


def _inner_frequencies(n: int, half: int) -> Any:
    """Return 0 for frequencies that are real in a real signal's spectrum, else 1."""
    inner = np.ones(half, np.float32)
    inner[0] = 0
    if n % 2 == 0:
        inner[-1] = 0
    return inner


@irfft.prepare
def _(x: Any, fft_length: int | None) -> tuple[Any, ...]:
    pair = _checked_pair("irfft", x)
    return pair, _length("irfft", fft_length, 2 * (pair[0].shape[-1] - 1))


# -- short-time transforms -------------------------------------------------------


def _window(
    name: str, window: Any, sequence_length: int, fft_length: int, dtype: str
) -> Any:
    """Return the window, centred in `fft_length` values."""
    if fft_length < sequence_length:
        raise ArgumentError(
            f"polykeras.ops.{name} expected fft_length to be at least "
            f"sequence_length, got {fft_length} and {sequence_length}."
        )
    if isinstance(window, str):
        if window not in _WINDOWS:
            raise ArgumentError(
                f"polykeras.ops.{name} got window {window!r}. Use 'hann', 'hamming', "
                "a tensor of sequence_length values, or None."
            )
        offset = _WINDOWS[window]
        phase = 2 * np.pi * np.arange(sequence_length) / sequence_length
        values: Any = (offset - (1 - offset) * np.cos(phase)).astype(np.float64)
    elif window is None:
        return cast(np.ones(fft_length, np.float32), dtype)
    else:
        values = convert_to_tensor(window)
    if tuple(values.shape) != (sequence_length,):
        raise ShapeError(
            f"polykeras.ops.{name} expected a window of {sequence_length} values, got "
            f"shape {tuple(values.shape)}."
        )
    left = (fft_length - sequence_length) // 2
    padding = [(left, fft_length - sequence_length - left)]
    return pad(cast(values, dtype), padding)


# The share of the constant in each cosine window; both are periodic.
_WINDOWS = {"hann": 0.5, "hamming": 0.54}


@op(inexact="x")
def stft(
    x: Tensor,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Pair:
    """Return the Fourier transforms of overlapping, windowed frames.

    Args:
        x: A tensor of shape (..., N).
        sequence_length: Size of a frame.
        sequence_stride: Distance between the starts of frames.
        fft_length: Size of the transform, at least `sequence_length`.
        window: ``"hann"`` or ``"hamming"`` (periodic), a tensor of
            `sequence_length` values, or None for ones.
        center: Whether to reflect half a transform's length at both ends, so that
            frame t is centred at ``t * sequence_stride``.

    Returns:
        A pair (real, imaginary) of tensors of shape
        (..., frames, fft_length // 2 + 1).

    Raises:
        ArgumentError: If `fft_length` is too small or `window` is unknown.
        ShapeError: If a window tensor has another size.

    >>> import polykeras as keras
    >>> real, imaginary = keras.ops.stft(keras.ops.ones((16,)), 8, 4, 8)
    >>> tuple(real.shape)
    (5, 5)
    """
    x = _signal("stft", x)
    values = _window("stft", window, sequence_length, fft_length, dtype_of(x))
    if center:
        half = (fft_length // 2, fft_length // 2)
        x = pad(x, [(0, 0)] * (len(x.shape) - 1) + [half], mode="reflect")
    frames = extract_sequences(x, fft_length, sequence_stride)
    return rfft(multiply(frames, values))


@op(sequence="x")
def istft(
    x: Pair,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """Return the signals whose short-time transforms are nearest to those given.

    Args:
        x: A pair (real, imaginary) of shape (..., frames, fft_length // 2 + 1).
        sequence_length: As for `stft`.
        sequence_stride: As for `stft`.
        fft_length: As for `stft`.
        length: Size of the result; None means all that the frames cover.
        window: As for `stft`.
        center: As for `stft`: half a transform's length is dropped at both ends.

    Returns:
        A tensor of shape (..., N). Values that no window covers are 0.

    Raises:
        ArgumentError: If `fft_length` is too small or `window` is unknown.
        ShapeError: If the pair's shapes do not fit.

    >>> import polykeras as keras
    >>> x = keras.ops.arange(16, dtype="float32")
    >>> y = keras.ops.istft(keras.ops.stft(x, 8, 4, 8), 8, 4, 8)
    >>> [round(v, 3) for v in keras.ops.convert_to_numpy(y)[1:5].tolist()]
    [1.0, 2.0, 3.0, 4.0]

    Reference: Griffin and Lim, 1984, "Signal Estimation from Modified Short-Time
    Fourier Transform", equation 6.
    """
    real, imaginary = _checked_pair("istft", x, rank=2)
    values = _window("istft", window, sequence_length, fft_length, dtype_of(real))
    frames = irfft((real, imaginary), fft_length)
    count = frames.shape[-2]
    signal = _overlapped(multiply(frames, values), sequence_stride)
    energy = multiply(values, values)
    rows = multiply(cast(np.ones((count, 1), np.float32), dtype_of(real)), energy)
    weight = _overlapped(rows, sequence_stride)
    tiny = less_equal(weight, 1e-10)
    signal = where(tiny, 0.0, divide(signal, where(tiny, 1.0, weight)))
    start = fft_length // 2 if center else 0
    total = signal.shape[-1]
    if length is None:
        return signal[..., start : total - start]
    return _fitted(signal[..., start:], length)


def _overlapped(frames: Tensor, stride: int) -> Tensor:
    """Add frames, each `stride` after the one before.

    Frames are cut into blocks of `stride` values; block j of every frame lands j
    blocks after the frame's first, so the sum is over shifted copies.
    """
    *batch, count, size = frames.shape
    blocks = -(-size // stride)
    lead = [(0, 0)] * len(batch)
    padded = pad(frames, [*lead, (0, 0), (0, blocks * stride - size)])
    cut = reshape(padded, (*batch, count, blocks, stride))
    parts = []
    for j in range(blocks):
        part = cut[..., j, :]
        parts.append(pad(part, [*lead, (j, blocks - 1 - j), (0, 0)]))
    total = parts[0]
    for part in parts[1:]:
        total = add(total, part)
    flat = reshape(total, (*batch, (count + blocks - 1) * stride))
    return flat[..., : (count - 1) * stride + size]
