"""Fourier transforms on every backend, against NumPy and by their own inverses."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    host,
    tensor,
)


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).uniform(-1, 1, shape)


def parts(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return z.real, z.imag


ULP = 32


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "fn,reference",
    [(ops.fft, np.fft.fft), (ops.fft2, np.fft.fft2), (ops.ifft2, np.fft.ifft2)],
    ids=["fft", "fft2", "ifft2"],
)
def test_complex_transforms(backend, fn, reference, dtype):
    re, im = draw(2, 3, 5).astype(dtype), draw(2, 3, 5, seed=1).astype(dtype)
    exact = reference(re.astype("f8") + 1j * im.astype("f8"))
    out = check_abstract(lambda a, b: fn((a, b)), re, im)
    check_values(out, parts(exact), ulp=ULP, scale=4.0, dtype=dtype)


@pytest.mark.parametrize("fn", [ops.fft, ops.fft2, ops.ifft2])
def test_complex_gradients(backend, fn):
    check_gradient(lambda a, b: fn((a, b)), [draw(2, 3, 4), draw(2, 3, 4, seed=1)])


def test_fft_second_derivative(backend):
    def energy(a, b):
        re, im = ops.fft((a, b))
        return re * re * im

    check_gradient(energy, [draw(4), draw(4, seed=1)], order=2)


@pytest.mark.parametrize("n", [None, 4, 5, 9])
@pytest.mark.parametrize("size", [6, 7])
def test_rfft(backend, n, size):
    x = draw(2, size)
    out = check_abstract(lambda a: ops.rfft(a, n), x)
    check_values(out, parts(np.fft.rfft(x, n)), ulp=ULP, scale=4.0, dtype="float64")
    check_gradient(lambda a: ops.rfft(a, n), [x])


@pytest.mark.parametrize("n", [None, 4, 5, 9])
def test_irfft(backend, n):
    re, im = draw(2, 4), draw(2, 4, seed=1)
    out = check_abstract(lambda a, b: ops.irfft((a, b), n), re, im)
    check_values(out, np.fft.irfft(re + 1j * im, n), ulp=ULP, scale=4.0)
    check_gradient(lambda a, b: ops.irfft((a, b), n), [re, im])


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_small_floats_are_transformed_in_float32(backend, name):
    x = ops.cast(tensor(draw(8)), name)
    exact = np.fft.rfft(host(x).astype("f8"))
    check_values(ops.rfft(x), parts(exact), ulp=2, scale=1.0, dtype=name)


def test_integers_become_floats(backend):
    re, _ = ops.fft((tensor(np.arange(4)), tensor(np.zeros(4, "int32"))))
    check_values(re, np.array([6.0, -2, -2, -2]), ulp=4)


def frames_of(x: np.ndarray, length: int, stride: int) -> np.ndarray:
    count = (x.shape[-1] - length) // stride + 1
    return np.stack(
        [x[..., i * stride : i * stride + length] for i in range(count)], -2
    )


@pytest.mark.parametrize("window", ["hann", "hamming", None, "own"])
@pytest.mark.parametrize("center", [True, False])
def test_stft(backend, window, center):
    x = draw(2, 30)
    angle = 2 * np.pi * np.arange(6) / 6
    values = {
        "hann": 0.5 - 0.5 * np.cos(angle),
        "hamming": 0.54 - 0.46 * np.cos(angle),
        None: None,
        "own": np.arange(1.0, 7.0),
    }[window]
    padded = np.pad(x, [(0, 0), (4, 4)], "reflect") if center else x
    shaped = np.ones(8) if values is None else np.pad(values, 1)
    exact = np.fft.rfft(frames_of(padded, 8, 3) * shaped)
    given = values if window == "own" else window

    def fn(a):
        return ops.stft(a, 6, 3, 8, given, center)

    check_values(check_abstract(fn, x), parts(exact), ulp=ULP, scale=8.0)
    check_gradient(fn, [x])


@pytest.mark.parametrize("window", ["hann", "hamming", None])
def test_istft_inverts_stft(backend, window):
    x = draw(2, 33)
    pair = ops.stft(tensor(x), 8, 4, 8, window)
    whole = ops.istft(pair, 8, 4, 8, window=window)
    check_values(whole, x[:, : whole.shape[-1]], ulp=64, scale=1.0)
    cut = ops.istft(pair, 8, 4, 8, length=20, window=window)
    check_values(cut, x[:, :20], ulp=64, scale=1.0)


def test_istft_gradient(backend):
    re, im = draw(2, 4, 5), draw(2, 4, 5, seed=1)

    def fn(a, b):
        return ops.istft((a, b), 8, 3, 8)

    check_abstract(fn, re, im)
    check_gradient(fn, [re, im], tolerance=1e-6)
