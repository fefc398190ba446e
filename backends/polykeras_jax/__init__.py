"""The JAX backend: traced, differentiated and compiled by JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from polykeras.backend import BackendSpec, ConformanceGap, hookimpl

if TYPE_CHECKING:
    from polykeras.backend import Backend

__all__ = ["polykeras_backends", "polykeras_conformance_gaps"]

# XLA computes on CPUs with subnormal numbers as zeros, and a quotient by a vector as a
# product with its reciprocal: that of the largest number is subnormal.
_WITH_SUBNORMALS: Final = {
    "bfloat16 float32 float64": (
        *("arcsin", "arctan2", "deg2rad", "divide", "divide_no_nan", "erfinv"),
        *("leaky_relu", "power", "reciprocal", "silu", "swish", "true_divide"),
    ),
    "float32 float64": ("floor_divide",),
}


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


@hookimpl
def polykeras_conformance_gaps(backend: Backend) -> list[ConformanceGap]:
    """Name what XLA itself does otherwise."""
    if backend.name != "jax":
        return []
    return [
        ConformanceGap(
            pattern=f"edge_cases/special_values/{op}/{dtype}/*",
            kind="upstream",
            reason="XLA takes subnormal numbers for zero on CPUs",
            error=AssertionError,
        )
        for names, ops in _WITH_SUBNORMALS.items()
        for dtype in names.split()
        for op in ops
    ]
