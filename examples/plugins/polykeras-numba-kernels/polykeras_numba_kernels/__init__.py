"""The plugin: which kernels it supplies, and to which backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polykeras.backend import hookimpl

if TYPE_CHECKING:
    from polykeras.backend import Backend, Kernel

__all__ = ["polykeras_kernels"]


@hookimpl
def polykeras_kernels(backend: Backend) -> dict[str, Kernel] | None:
    """Supply the NumPy backend with a depthwise convolution, and no other backend."""
    if backend.name != "numpy":
        return None
    # Numba is imported with the backend, not at discovery.
    from polykeras_numba_kernels.convolution import depthwise_or

    return {"conv_general": depthwise_or(backend.own_kernels()["conv_general"])}
