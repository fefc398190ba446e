"""The reference backend: NumPy, differentiated by polykeras' tape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polykeras.backend import BackendSpec, hookimpl

if TYPE_CHECKING:
    from polykeras.backend import Backend

__all__ = ["polykeras_backends"]


def _load() -> Backend:
    from polykeras_numpy.backend import NumpyBackend

    return NumpyBackend()


@hookimpl
def polykeras_backends() -> list[BackendSpec]:
    """Offer the NumPy backend."""
    return [
        BackendSpec(
            name="numpy",
            summary="NumPy on the CPU: the reference, installed with polykeras",
            load=_load,
            requires=(("numpy", "2"),),
            install_hint="pip install polykeras",
            priority=100,
        )
    ]
