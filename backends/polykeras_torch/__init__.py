"""The PyTorch backend: eager kernels, the library's own autograd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polykeras.backend import BackendSpec, hookimpl

if TYPE_CHECKING:
    from polykeras.backend import Backend

__all__ = ["polykeras_backends"]


def _load() -> Backend:
    from polykeras_torch.backend import TorchBackend

    return TorchBackend()


@hookimpl
def polykeras_backends() -> list[BackendSpec]:
    """Offer the PyTorch backend."""
    return [
        BackendSpec(
            name="torch",
            summary="PyTorch on CPU or GPU, with its own autograd",
            load=_load,
            requires=(("torch", "2.6"),),
            install_hint="pip install 'polykeras[torch]'",
            priority=50,
        )
    ]
