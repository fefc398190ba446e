"""Kernels of sorting and searching, out of the array API standard."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polykeras.backend._base import Tensor
    from polykeras.backend._kernels import Kernel
    from polykeras.backend.array_api._backend import ArrayAPIBackend

__all__ = ["kernels"]


def kernels(backend: ArrayAPIBackend) -> dict[str, Kernel]:
    """Return op name to kernel for the namespace ``backend.xp``."""
    xp = backend.xp

    def orderable(x: Tensor) -> Tensor:
        # The standard orders numbers only.
        return xp.astype(x, xp.uint8) if backend.dtype_name(x) == "bool" else x

    def sort(x: Tensor, axis: int) -> Tensor:
        return xp.astype(xp.sort(orderable(x), axis=axis), x.dtype)

    def argsort(x: Tensor, axis: int) -> Tensor:
        return xp.astype(xp.argsort(orderable(x), axis=axis, stable=True), xp.int32)

    def top_k(x: Tensor, k: int, sorted: bool) -> tuple[Tensor, Tensor]:
        # Sorted ascending from the right: read backwards, the largest come first,
        # NaN among them, and the first of equals is the first.
        n = x.shape[-1]
        order = xp.argsort(xp.flip(orderable(x), axis=-1), axis=-1, stable=True)
        index = (n - 1) - xp.flip(order, axis=-1)[..., :k]
        return xp.take_along_axis(x, index, axis=-1), xp.astype(index, xp.int32)

    def searchsorted(sorted_sequence: Tensor, values: Tensor, side: str) -> Tensor:
        sequence, wanted = orderable(sorted_sequence), orderable(values)
        found = xp.searchsorted(sequence, wanted, side=side)
        return xp.astype(found, xp.int32)

    def nonzero(x: Tensor) -> tuple[Tensor, ...]:
        return tuple(xp.astype(index, xp.int32) for index in xp.nonzero(x))

    return {
        "sort": sort,
        "argsort": argsort,
        "top_k": top_k,
        "searchsorted": searchsorted,
        "nonzero": nonzero,
    }
