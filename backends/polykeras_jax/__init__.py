"""The JAX backend: traced, differentiated and compiled by JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polykeras.backend import BackendSpec, hookimpl

if TYPE_CHECKING:
    from polykeras.backend import Backend

__all__ = ["polykeras_backends"]


def _load() -> Backend:
    from polykeras_jax.backend import JaxBackend

    return JaxBackend()


@hookimpl
def polykeras_backends() -> list[BackendSpec]:
    """Offer the JAX backend."""
    return [
        BackendSpec(
            name="jax",
            summary="JAX on CPU, GPU or TPU, compiled by XLA",
            load=_load,
            requires=(("jax", "0.5"),),
            install_hint="pip install 'polykeras[jax]'",
            priority=50,
        )
    ]
