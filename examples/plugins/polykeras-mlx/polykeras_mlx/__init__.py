"""The plugin: what polykeras reads before anything is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polykeras.backend import BackendSpec, ConformanceGap, hookimpl
from polykeras.errors import DTypeError

if TYPE_CHECKING:
    from polykeras.backend import Backend

__all__ = ["polykeras_backends", "polykeras_conformance_gaps"]


def _load() -> Backend:
    from polykeras_mlx.backend import MLXBackend

    return MLXBackend()


@hookimpl
def polykeras_backends() -> list[BackendSpec]:
    """Offer the backend."""
    return [
        BackendSpec(
            name="mlx",
            summary="Apple's MLX, with its own derivatives and compiler",
            load=_load,
            requires=(("mlx", "0.32"),),
            install_hint="pip install polykeras-mlx",
        )
    ]


@hookimpl
def polykeras_conformance_gaps(backend: Backend) -> list[ConformanceGap]:
    """Name what MLX itself cannot do."""
    if backend.name != "mlx":
        return []
    compiled = [
        ConformanceGap(
            pattern=f"compiled/{op}/*",
            kind="upstream",
            reason=reason,
            error=AssertionError,
        )
        for op, reason in (
            ("cond", "mx.compile has no branches"),
            ("switch", "mx.compile has no branches"),
            ("gcd", "mx.compile has no loops that end by values"),
            ("lcm", "mx.compile has no loops that end by values"),
            (
                "eig",
                "MLX's eigenvalues have one precision only, so NumPy computes them",
            ),
        )
    ]
    return [
        *(compiled if backend.capabilities.compile else ()),
        ConformanceGap(
            pattern="values/eig/float64/*",
            kind="upstream",
            reason="MLX has no complex128 for the eigenvalues of a float64 matrix",
            error=DTypeError,
        ),
        ConformanceGap(
            pattern="dtypes/promotion/polar/*-float32,float64",
            kind="upstream",
            reason="MLX has no complex128, to which float64 and complex64 promote",
            error=AssertionError,
        ),
    ]
