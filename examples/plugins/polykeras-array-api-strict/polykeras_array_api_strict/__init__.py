"""The plugin: what polykeras reads before anything is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polykeras.backend import BackendSpec, hookimpl

if TYPE_CHECKING:
    from polykeras.backend import Backend

__all__ = ["polykeras_backends"]


def _load() -> Backend:
    from polykeras_array_api_strict.backend import StrictBackend

    return StrictBackend()


@hookimpl
def polykeras_backends() -> list[BackendSpec]:
    """Offer the backend."""
    return [
        BackendSpec(
            name="array-api-strict",
            summary="array-api-strict: the array API standard and nothing else",
            load=_load,
            requires=(("array-api-strict", "2.3"),),
            install_hint="pip install polykeras-array-api-strict",
        )
    ]
