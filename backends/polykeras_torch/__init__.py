"""The PyTorch backend: eager kernels, the library's own autograd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polykeras.backend import BackendSpec, ConformanceGap, hookimpl

if TYPE_CHECKING:
    from polykeras.backend import Backend

__all__ = ["polykeras_backends", "polykeras_conformance_gaps"]


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


@hookimpl
def polykeras_conformance_gaps(backend: Backend) -> list[ConformanceGap]:
    """Name what PyTorch itself cannot do."""
    if backend.name != "torch":
        return []
    return [
        ConformanceGap(
            pattern="gradients/second_order/logaddexp/float64/2,2",
            kind="upstream",
            reason="the second derivative of torch.logaddexp is NaN where exp of the "
            "difference overflows",
            error=AssertionError,
        ),
        ConformanceGap(
            pattern="edge_cases/special_values/erf/bfloat16/*",
            kind="upstream",
            reason="torch.erf of the smallest normal bfloat16 is 0, of float32 is not",
            error=AssertionError,
        ),
        *(
            ConformanceGap(
                pattern=f"compiled/{op}/float32/*",
                kind="never",
                reason=f"{what} on values, so no flat program repeats it",
                error=AssertionError,
            )
            for op, what in (
                ("cond", "the choice depends"),
                ("switch", "the choice depends"),
                ("ctc_loss", "torch.ctc_loss depends"),
            )
        ),
    ]
