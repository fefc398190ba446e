"""Kernels of Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Pair = tuple[Any, Any]


def _wide(x: Any) -> Any:
    return x if x.dtype in (jnp.float32, jnp.float64) else x.astype(jnp.float32)


def _joined(x: Pair) -> Any:
    return jax.lax.complex(_wide(x[0]), _wide(x[1]))


def _parted(x: Any, dtype: Any) -> Pair:
    return x.real.astype(dtype), x.imag.astype(dtype)


def _on_pairs(transform: Callable[[Any], Any]) -> Kernel:
    def call(x: Pair) -> Pair:
        return _parted(transform(_joined(x)), x[0].dtype)

    return call


def rfft(x: Any, fft_length: int) -> Pair:
    """Transform real signals."""
    return _parted(jnp.fft.rfft(_wide(x), n=fft_length), x.dtype)


def irfft(x: Pair, fft_length: int) -> Any:
    """Return real signals."""
    return jnp.fft.irfft(_joined(x), n=fft_length).astype(x[0].dtype)


KERNELS: Final[dict[str, Kernel]] = {
    "fft": _on_pairs(jnp.fft.fft),
    "fft2": _on_pairs(jnp.fft.fft2),
    "ifft2": _on_pairs(jnp.fft.ifft2),
    "rfft": rfft,
    "irfft": irfft,
}
