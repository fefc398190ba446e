"""Kernels that MLX has beyond the standard, or that the standard's need replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
import numpy as np

from polykeras.backend import check_indices

if TYPE_CHECKING:
    from polykeras.backend import Kernel
    from polykeras_mlx.backend import MLXBackend

__all__ = ["COMPOSED", "KERNELS", "indexing", "placed"]

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


def _lu_factor(x: mx.array) -> tuple[mx.array, mx.array]:
    """Factor; the standard has no LU."""
    wide = x if x.dtype == mx.float64 else x.astype(mx.float32)
    factors, pivots = mx.linalg.lu_factor(wide)
    return factors.astype(x.dtype), pivots.astype(mx.int32)


KERNELS: Final[dict[str, Kernel]] = {
    "fft": _fft,
    "lu_factor": _lu_factor,
    "relu": _relu,
}


# -- indexing, which the standard's kernels do on the host ----------------------------


def indexing(backend: MLXBackend) -> dict[str, Kernel]:
    """Return kernels that check indices only where their values exist."""

    def places(op: str, indices: mx.array, sizes: Any, axis: int) -> mx.array:
        if backend.is_concrete(indices):
            check_indices(op, np.asarray(indices), sizes, axis)
        indices = mx.stop_gradient(indices.astype(mx.int64))
        return mx.where(indices < 0, indices + mx.array(sizes, mx.int64), indices)

    def take(x: mx.array, indices: mx.array, axis: int) -> mx.array:
        return mx.take(x, places("take", indices, x.shape[axis], axis), axis)

    def take_along_axis(x: mx.array, indices: mx.array, axis: int) -> mx.array:
        at = places("take_along_axis", indices, x.shape[axis], axis)
        return mx.take_along_axis(x, at, axis)

    def scatter_update(
        x: mx.array, indices: mx.array, updates: mx.array, reduction: str | None
    ) -> mx.array:
        at = places("scatter_update", indices, x.shape[: indices.shape[-1]], 0)
        key = tuple(at[..., i] for i in range(at.shape[-1]))
        if reduction is None:
            out = mx.array(x)
            out[key] = updates
            return out
        of_mlx = {"add": "add", "max": "maximum", "min": "minimum", "mul": "multiply"}
        return getattr(x.at[key], of_mlx[reduction])(updates)

    def segment_sum(data: mx.array, ids: mx.array, n: int, ordered: bool) -> mx.array:
        inside = (ids >= 0) & (ids < n)
        sums = mx.zeros((n + 1, *data.shape[1:]), data.dtype)
        return sums.at[mx.where(inside, ids, n)].add(data)[:n]

    return {
        "take": take,
        "take_along_axis": take_along_axis,
        "scatter_update": scatter_update,
        "segment_sum": segment_sum,
    }
