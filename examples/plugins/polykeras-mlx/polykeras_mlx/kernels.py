"""Kernels that MLX has beyond the standard, or that the standard's need replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
import numpy as np

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["COMPOSED", "KERNELS", "placed"]

# MLX's have no derivatives; polykeras composes them of `fft`, which has a rule.
COMPOSED: Final = frozenset({"fft2", "ifft2", "rfft", "irfft"})


_ON_CPU: Final = frozenset(
    ("cholesky", "eig", "eigh", "lu_factor", "qr", "solve", "solve_triangular", "svd")
)


def placed(name: str, kernel: Kernel) -> Kernel:
    """Return a kernel that runs on the CPU where MLX has no code for GPUs."""
    always = name in _ON_CPU

    def call(*args: Any) -> Any:
        if always or any(getattr(a, "dtype", None) == mx.float64 for a in args):
            with mx.stream(mx.cpu):
                return kernel(*args)
        return kernel(*args)

    return call


def _fft(x: tuple[mx.array, mx.array]) -> tuple[mx.array, mx.array]:
    """Transform; NumPy does in float64, where MLX would round to float32."""
    real, imaginary = x
    if real.dtype == mx.float64:
        z = np.fft.fft(np.asarray(real) + 1j * np.asarray(imaginary))
        return mx.array(z.real.copy(), real.dtype), mx.array(z.imag.copy(), real.dtype)
    out = mx.fft.fft(real.astype(mx.float32) + 1j * imaginary.astype(mx.float32))
    return mx.real(out).astype(real.dtype), mx.imag(out).astype(real.dtype)


def _relu(x: mx.array) -> mx.array:
    """Cut off; of equals, MLX's derivative of the maximum takes the second."""
    return mx.maximum(x, mx.zeros((), x.dtype))


KERNELS: Final[dict[str, Kernel]] = {"fft": _fft, "relu": _relu}
