"""Kernels of Fourier transforms, out of the array API standard's fft extension."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polykeras.backend._base import Tensor
    from polykeras.backend._kernels import Kernel
    from polykeras.backend.array_api._backend import ArrayAPIBackend

__all__ = ["kernels"]

Pair = tuple["Tensor", "Tensor"]


def kernels(backend: ArrayAPIBackend) -> dict[str, Kernel]:
    """Return op name to kernel for the namespace ``backend.xp``."""
    xp = backend.xp
    transforms = getattr(xp, "fft", None)
    if transforms is None:
        return {}

    def wide(x: Tensor) -> Tensor:
        """Return the tensor in a dtype that has a complex counterpart."""
        name = backend.dtype_name(x)
        return x if name in ("float32", "float64") else xp.astype(x, xp.float32)

    def joined(x: Pair) -> Tensor:
        return wide(x[0]) + 1j * wide(x[1])

    def parted(x: Tensor, dtype: Any) -> Pair:
        return (
            xp.astype(xp.real(x), dtype, copy=False),
            xp.astype(xp.imag(x), dtype, copy=False),
        )

    def on_pairs(transform: Callable[[Tensor], Tensor]) -> Kernel:
        def call(x: Pair) -> Pair:
            return parted(transform(joined(x)), x[0].dtype)

        return call

    def rfft(x: Tensor, n: int) -> Pair:
        return parted(transforms.rfft(wide(x), n=n), x.dtype)

    def irfft(x: Pair, n: int) -> Tensor:
        out = transforms.irfft(joined(x), n=n)
        return xp.astype(out, x[0].dtype, copy=False)

    return {
        "fft": on_pairs(transforms.fft),
        "fft2": on_pairs(lambda x: transforms.fftn(x, axes=(-2, -1))),
        "ifft2": on_pairs(lambda x: transforms.ifftn(x, axes=(-2, -1))),
        "rfft": rfft,
        "irfft": irfft,
    }
